// The registries of one run of the program: a session for each, made when it is first needed, and where to look for an
// image. Thread-safe.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/credentials.hh"
#include "registry/mirrors.hh"
#include "registry/repository.hh"
#include "registry/session.hh"

namespace veneer::registry {

struct RegistriesOptions {
  Environment environment = [](const std::string&) { return std::nullopt; };
  std::vector<std::string> insecure;  // hosts, with or without a port, that may be spoken to without TLS (--insecure)
  std::optional<std::filesystem::path> authority;  // PEM, trusted as well for all of them (--ca)
  /// The project's, by the name of the registry; asked once, when the first session is made.
  std::function<std::map<std::string, std::filesystem::path>()> authorities = [] {
    return std::map<std::string, std::filesystem::path>();
  };
  std::optional<std::chrono::seconds> patience;           // while no byte moves
  std::function<Rules()> rules = [] { return Rules(); };  // the project's, before those of registries.conf
  std::function<void(const std::string&)> note = [](const std::string&) {};
};

/// A repository that may have an image.
struct Source {
  Repository repository;
  enum class Kind { registry, mirror } kind = Kind::registry;
  bool serves_tags = true;
  bool serves_digests = true;
};

class Registries {
 public:
  explicit Registries(RegistriesOptions options);

  /// The session of the registry `name` ("docker.io"), with the user's login there.
  std::shared_ptr<Session> session(std::string_view name);
  /// That of one of its repositories, by itself: what is written to.
  Repository repository(std::string_view registry, std::string_view repository);

  /// Where to read `repository` from: its mirrors, then itself. Mirrors are asked without credentials; those that are
  /// not spoken to over verified TLS, and are not this machine, serve no tags. Throws Error (refused) for one that
  /// registries.conf blocks.
  std::vector<Source> sources(std::string_view registry, std::string_view repository);

  /// Calls `read` with each of `sources` until one gives something; one that fails is passed over with a note, but for
  /// the last one.
  template <typename Read>
  auto first_of(const std::vector<Source>& sources, const Read& read) -> decltype(read(sources.front())) {
    for (std::size_t i = 0; i < sources.size(); ++i) {
      try {
        if (auto found = read(sources[i])) return found;
      } catch (const Error& error) {
        if (i + 1 == sources.size()) throw;
        pass_over(sources[i], error);
      }
    }
    return std::nullopt;
  }

 private:
  std::shared_ptr<Session> make(std::string_view name, Location::Transport transport, Source::Kind kind);
  void pass_over(const Source& source, const Error& error);
  Rules rules_of_machine() const;

  RegistriesOptions options_;
  std::mutex mutex_;
  std::optional<Rules> rules_;
  std::optional<std::map<std::string, std::filesystem::path>> authorities_;
  std::map<std::string, std::shared_ptr<Session>, std::less<>> sessions_;
  std::map<std::string, std::shared_ptr<Session>, std::less<>> mirrors_;
};

}  // namespace veneer::registry
