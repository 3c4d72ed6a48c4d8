// Wheels built by uv, and the cache of them. Thread-safe; several processes may share the cache.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/digest.hh"
#include "foundation/kept_files.hh"
#include "python/supply/workshop.hh"

namespace veneer::python {

struct UvProgram {
  std::filesystem::path path;
  std::string version;                         // "0.9.5"
  std::optional<std::filesystem::path> cache;  // UV_CACHE_DIR; default: uv's own choice
  /// What builds see of the caller's environment beside reaches_builds(): set for every build, part of every key.
  std::map<std::string, std::string> environment;
  std::shared_ptr<Workshop> workshop;                // for wheels with compiled parts; nothing: not on this machine
  std::function<void(const std::string& text)> say;  // tells people; may be empty
};

/// Asks the program for its version. Errors: not_found with a hint how to get uv; failed when it does not answer.
UvProgram find_uv(const std::filesystem::path& path);

struct WheelTags {
  std::string python;    // "py3", "py2.py3", "cp311"
  std::string abi;       // "none", "cp311", "abi3"
  std::string platform;  // "any", "linux_x86_64"
  bool is_pure() const { return abi == "none" && platform == "any"; }
};

/// The last three fields of a wheel's file name. Throws Error (refused).
WheelTags wheel_file_tags(std::string_view file_name);

enum class BuildOrigin { cache, built };

struct BuiltWheel {
  std::filesystem::path path;
  FileHash hash;
  std::uint64_t size = 0;
  WheelTags tags;
  BuildOrigin origin = BuildOrigin::cache;
};

struct UvBuild {
  std::filesystem::path source;  // a folder, or a .tar.gz source distribution
  std::string name;              // of the distribution
  std::string python;            // an interpreter, or a version: uv may download one
  std::int64_t source_date_epoch = 0;
  std::vector<std::string> constraints;  // PEP 508, for build requirements
  std::filesystem::path ceiling;         // git looks for repositories up to here
};

/// `<cache folder>/built/<key>/<wheel>`, and its hash beside it; built in `<cache folder>/tmp`.
class BuiltWheels {
 public:
  explicit BuiltWheels(const std::filesystem::path& cache_folder,
                       std::shared_ptr<const KeptFiles> files = std::make_shared<KeptFiles>())
      : folder_(std::filesystem::absolute(cache_folder) / "built"), files_(std::move(files)) {}
  std::optional<BuiltWheel> find(const Hash& key) const;
  using Build = std::function<void(const std::filesystem::path& output, const std::filesystem::path& scratch)>;
  using Judge = std::function<void(const std::filesystem::path& wheel)>;
  /// The cached wheel, or what `build` puts into the empty folder that it is given, exactly one wheel. `build` also
  /// gets a folder for its scratch files. One process builds while others that want the same key wait. `judge` throws
  /// when the wheel that was built is not what was wanted; then it is not kept. It is kept under what `key_of` says.
  using KeyOf = std::function<Hash(const WheelTags& tags)>;
  BuiltWheel get(const Hash& key, const Build& build, const Judge& judge, const KeyOf& key_of);

 private:
  std::filesystem::path folder_;
  std::shared_ptr<const KeptFiles> files_;
};

/// The interpreter of this machine that `request` ("3.11", ">=3.8") names, if there is one: nothing is downloaded.
std::optional<std::string> find_python(const UvProgram& uv, const std::string& request);

/// Runs `uv build --wheel` with umask 022, SOURCE_DATE_EPOCH and a fixed hash seed, in isolation as uv does it, and in
/// a closed environment (build_environment.hh); in `place` unless that is null, where it sees its scratch files, and
/// files and folders that variables name (HOME, CARGO_HOME, …) where they are. Errors: failed with the end of what uv
/// said.
void uv_build_wheel(const UvProgram& uv, const UvBuild& build, const Workshop::Place* place,
                    const std::filesystem::path& output, const std::filesystem::path& scratch);

}  // namespace veneer::python
