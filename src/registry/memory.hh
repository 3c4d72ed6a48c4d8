// What was learned of a registry by its answers, kept in the cache folder for 7 days: what it takes at a time, and what
// was pushed last. A wrong memory costs a request, nothing else. Thread-safe.
//
//   <cache>/registries/<name>.json
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "foundation/digest.hh"

namespace veneer::registry {

struct UploadLimits {
  std::uint64_t chunk = 16 << 20;  // bytes of one request's body
  bool takes_bodies = true;        // in the PUT that ends an upload
  bool takes_chunks = true;        // by PATCH

  bool operator==(const UploadLimits&) const = default;
};

inline constexpr std::int64_t memory_seconds = 7 * 24 * 3600;

/// What stands in the file.
struct Remembered {
  UploadLimits limits;
  std::int64_t limits_learned = 0;               // seconds since 1970
  std::map<std::string, ManifestDigest> pushed;  // repository -> what was pushed there last
};
/// Never throws: what cannot be read, or is from the future, is not remembered, and limits older than 7 days neither.
Remembered read_memory(std::string_view json, std::int64_t now);
std::string memory_json(const Remembered& remembered);

class Memory {
 public:
  /// Of the registry `name` ("registry.example:5000"); `now` in seconds since 1970.
  Memory(const std::filesystem::path& cache, std::string_view name, std::int64_t now);

  UploadLimits limits() const;
  /// A body of `size` bytes was too large. False when there is nothing smaller to try.
  bool shrink(std::uint64_t size);
  void takes_no_bodies();
  void takes_no_chunks();

  std::optional<ManifestDigest> pushed(const std::string& repository) const;
  void set_pushed(const std::string& repository, const ManifestDigest& manifest);

  /// Writes the file when something is new. What cannot be written is forgotten.
  void save();

 private:
  void learned();

  std::filesystem::path path_;
  std::int64_t now_;
  mutable std::mutex mutex_;
  Remembered remembered_;
  bool is_new_ = false;
};

}  // namespace veneer::registry
