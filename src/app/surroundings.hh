// What commands get from outside: the environment, the clock, folders, and somebody to tell what they are doing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace veneer::app {

/// Told to people while a command works. Thread-safe.
class Messages {
 public:
  virtual ~Messages() = default;
  /// What is being done right now; may be called often.
  virtual void progress(const std::string& text) = 0;
  /// Nothing is being done any more.
  virtual void clear_progress() = 0;
  virtual void note(const std::string& text) = 0;
  virtual void warning(const std::string& text) = 0;
};

class Surroundings {
 public:
  virtual ~Surroundings() = default;
  virtual Messages& messages() = 0;
  /// A variable of the environment; an empty one counts as absent.
  virtual std::optional<std::string> environment(const std::string& name) const = 0;
  /// Where downloads and layers are kept. Throws Error (usage) when nothing says where.
  virtual std::filesystem::path cache_folder() const = 0;
  /// Whose project is meant when none is named, and whose store holds images that are named without a place.
  virtual std::filesystem::path current_folder() const = 0;
  virtual std::int64_t seconds_since_1970() const = 0;
  /// The registries that may be spoken to without TLS (--insecure): hosts, with or without a port.
  virtual std::vector<std::string> insecure_registries() const { return {}; }
  /// A file of certificates that vouch for registries beside those that this machine trusts (--ca).
  virtual std::optional<std::filesystem::path> registry_authority() const { return std::nullopt; }
  /// Who calls, for histories: "user@machine", as far as it is known.
  virtual std::string caller() const = 0;
};

}  // namespace veneer::app
