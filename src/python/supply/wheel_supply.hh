// Brings the wheel of each selected distribution: downloaded, taken from a path, or built from its source. fetch() is
// for one thread; open() may then be called by several.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "net/download.hh"
#include "python/project/project.hh"
#include "python/selection.hh"
#include "python/supply/app_wheel.hh"
#include "python/supply/index_credentials.hh"
#include "python/supply/uv_build.hh"
#include "python/target.hh"
#include "python/wheel/wheel.hh"

namespace veneer::python {

/// Whether sources may be built, which runs code of their authors.
enum class SourceBuilds { allowed, refused };

struct SupplyOptions {
  std::filesystem::path lock_folder;  // relative paths in the lock start here
  std::vector<std::string> build_constraints;
  SourceBuilds source_builds = SourceBuilds::allowed;
  Strictness strictness = Strictness::tolerant;
  std::size_t workers = 1;
  IndexCredentials credentials;
  std::function<void(const std::string&)> progress;  // may be empty
};

/// WheelSupply::identity() of a wheel with this hash.
std::string wheel_identity(const FileHash& hash);

class WheelSupply {
 public:
  /// `uv` with an empty path: there is none, which is an Error (not_found) once something must be built.
  WheelSupply(net::Downloads& downloads, BuiltWheels& built, GitCheckouts& checkouts, const UvProgram& uv,
              const Target& target, SupplyOptions options);

  /// What decides the bytes of the distribution's layer as far as its file goes, without fetching it: the hash that the
  /// lock gives, or the key of the build. A wheel without a hash in the lock is fetched to learn it.
  std::string identity(const SelectedPackage& package);

  /// Makes the wheels of all `packages` available: downloads in parallel, then builds one after the other.
  void fetch(const std::vector<const SelectedPackage*>& packages);

  /// The wheel of a package that fetch() was called for.
  Wheel open(const SelectedPackage& package);
  /// The size in bytes of the wheel file that open() reads.
  std::uint64_t wheel_size(const SelectedPackage& package) const {
    return std::filesystem::file_size(wheel_files_.at(package.name));
  }

  /// Whether the wheel was built here, so that its compressed bytes are not the same on every machine.
  static bool is_built(const SelectedPackage& package) { return package.kind != PackageKind::wheel; }

  /// The version that the wheel of `name`, built from a folder, has; empty when there is none.
  std::string built_version(const std::string& name) const;

  std::uint64_t wheels_opened() const { return wheels_opened_; }
  std::uint64_t wheels_built() const { return wheels_built_; }
  /// Wheels built from folders, by package name: what git lists and the wheel lacks is in them.
  const std::map<std::string, AppWheel>& folder_wheels() const { return folder_wheels_; }
  /// Packages whose hash the lock does not give (or only a broken one, MD5), with the hash that was computed.
  const std::map<std::string, FileHash>& computed_hashes() const { return computed_hashes_; }

 private:
  const UvProgram& uv() const;
  net::DownloadRequest request(const SelectedPackage& package) const;
  void keep(const SelectedPackage& package, const net::DownloadedFile& file);
  std::filesystem::path build(const SelectedPackage& package);
  const AppWheel& build_folder(const SelectedPackage& package);

  net::Downloads& downloads_;
  BuiltWheels& built_;
  SourceFinder sources_;
  const UvProgram& uv_;
  const Target& target_;
  SupplyOptions options_;
  std::map<std::string, net::DownloadedFile> files_;          // by package name
  std::map<std::string, std::filesystem::path> wheel_files_;  // by package name
  std::map<std::string, FileHash> computed_hashes_;
  std::map<std::string, AppWheel> folder_wheels_;  // by package name
  std::atomic<std::uint64_t> wheels_opened_ = 0;
  std::uint64_t wheels_built_ = 0;
};

}  // namespace veneer::python
