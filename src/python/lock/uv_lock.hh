// uv.lock, as uv writes it (version 1, every revision). Pure, thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/value.hh"
#include "python/marker.hh"
#include "python/wheel_file_name.hh"

namespace veneer::python {

class KnownPackages;  // uv_lock_package.hh

struct LockSource {
  enum class Kind { registry, url, git, path, directory, editable, virtual_folder };
  Kind kind = Kind::registry;
  std::string location;      // URL or path; of git: the repository without query and fragment
  std::string subdirectory;  // url, git
  std::string commit;        // git

  bool operator==(const LockSource&) const = default;
};

struct LockFile {
  std::string name;      // file name, percent-encoding resolved
  std::string location;  // URL, or path as seen from the lock's folder
  std::string hash;      // "sha256:…" or another algorithm; empty when the lock has none
  std::optional<std::uint64_t> size;
};

struct LockWheel : LockFile {
  std::optional<WheelNameTags> tags;  // of its name; nothing: it can never be chosen
};

/// The wheels of a package. A copy is cheap: it is the same wheels.
class LockWheels {
 public:
  LockWheels() = default;
  explicit LockWheels(std::vector<LockFile> files);

  const LockWheel* begin() const { return wheels_ ? wheels_->data() : nullptr; }
  const LockWheel* end() const { return begin() + size(); }
  std::size_t size() const { return wheels_ ? wheels_->size() : 0; }
  bool empty() const { return size() == 0; }
  const LockWheel& front() const { return *begin(); }

 private:
  std::shared_ptr<const std::vector<LockWheel>> wheels_;
};

struct LockDependency {
  std::size_t package = 0;  // index into Lock::packages
  std::vector<std::string> extras;
  Marker marker;
};
using LockDependencies = std::vector<LockDependency>;

struct LockPackage {
  std::string name;
  std::string version;  // empty when dynamic
  LockSource source;
  std::vector<Marker> resolution_markers;  // the forks it belongs to; empty: all
  LockDependencies dependencies;
  std::map<std::string, LockDependencies> optional_dependencies;  // by extra
  std::map<std::string, LockDependencies> groups;                 // by dependency group
  std::vector<std::string> provided_extras;                       // those without dependencies too
  std::vector<std::string> declared_groups;                       // likewise
  Value metadata;                                                 // of a folder: what its pyproject.toml asked for
  std::optional<LockFile> sdist;
  LockWheels wheels;
};

/// One of several things that exclude each other: an extra or a group of a package, or the package itself.
struct ConflictItem {
  enum class Kind { project, extra, group };
  Kind kind = Kind::project;
  std::string package;
  std::string name;  // of the extra or group

  /// As dependency markers spell it since uv 0.5: "extra-3-foo-bar", "group-3-foo-dev", "project-3-foo" (the number is
  /// the length of the package's name).
  std::string encoded() const;
  auto operator<=>(const ConflictItem&) const = default;
};

/// A requirement of a workspace root that is no project, or of a script.
struct ManifestRequirement {
  std::string name;
  std::vector<std::string> extras;
  Marker marker;
};

struct Lock {
  std::int64_t revision = 0;
  std::string requires_python;
  std::vector<Marker> supported_environments;  // empty: all
  std::vector<Marker> required_environments;
  std::vector<std::vector<ConflictItem>> conflicts;
  std::vector<std::string> members;  // of the workspace; empty when there is but one project
  std::vector<ManifestRequirement> requirements;
  std::map<std::string, std::vector<ManifestRequirement>> groups;
  std::vector<LockPackage> packages;
  Value manifest;  // the settings that it was made with
  Value options;   // how it was resolved

  /// Indexes of the packages called `name`.
  std::vector<std::size_t> find(std::string_view name) const;
  /// The package that lies in the lock's own folder.
  std::optional<std::size_t> root() const;
};

/// Throws Error (refused) that says where, for malformed TOML, another version than 1, unknown kinds of sources,
/// dependencies on packages that the lock does not have or has twice, malformed markers.
/// With `known`, packages that an earlier lock had in the same words are taken from there; the result and the errors
/// are the same.
Lock parse_uv_lock(std::string_view text, KnownPackages* known = nullptr);

}  // namespace veneer::python
