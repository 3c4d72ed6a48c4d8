#include "python/lock/choose_file.hh"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "foundation/error.hh"
#include "python/lock/location.hh"
#include "python/wheel_file_name.hh"

namespace veneer::python {

namespace {

const LockFile* best_wheel(const LockPackage& package, const TagRanks& ranks) {
  const LockFile* best = nullptr;
  std::size_t best_rank = 0;
  std::string_view best_build;
  for (const LockWheel& wheel : package.wheels) {
    if (!wheel.tags) continue;
    const auto rank = ranks.best(wheel.tags->tags);
    if (!rank) continue;
    if (best == nullptr || *rank < best_rank || (*rank == best_rank && is_later_build(wheel.tags->build, best_build))) {
      best = &wheel;
      best_rank = *rank;
      best_build = wheel.tags->build;
    }
  }
  return best;
}

/// PEP 625 and its forerunner: what uv unpacks too.
void check_archive_name(const std::string& name) {
  if (name.ends_with(".tar.gz") || name.ends_with(".zip")) return;
  throw Error(ErrorKind::refused,
              fmt::format("the source distribution {} is neither .tar.gz nor .zip", printable(name)));
}

void take_file(SelectedPackage& selected, const LockFile& file) {
  selected.file = file.name;
  selected.location = file.location;
  selected.size = file.size;
  if (file.hash.starts_with("sha256:")) {
    selected.hash = FileHash::parse(file.hash);
  } else if (!file.hash.empty()) {
    selected.hashes = {file.hash};
  }
}

}  // namespace

bool is_workspace_member(const Lock& lock, std::size_t index) {
  const LockPackage& package = lock.packages[index];
  const auto kind = package.source.kind;
  if (kind != LockSource::Kind::editable && kind != LockSource::Kind::virtual_folder &&
      kind != LockSource::Kind::directory) {
    return false;
  }
  if (std::find(lock.members.begin(), lock.members.end(), package.name) != lock.members.end()) return true;
  return lock.members.empty() && lock.root() == index;
}

bool is_own_folder(const std::string& path, Editable editable) {
  const std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
  if (normal.empty() || *normal.begin() == ".") return true;
  return editable == Editable::yes && normal.is_relative() && *normal.begin() != "..";
}

std::optional<SelectedPackage> choose_file(const LockPackage& package, const TagRanks& ranks) {
  SelectedPackage selected;
  selected.name = package.name;
  selected.version = package.version;
  switch (package.source.kind) {
    case LockSource::Kind::registry:
      selected.index = package.source.location;
      if (const LockFile* wheel = best_wheel(package, ranks)) {
        selected.kind = PackageKind::wheel;
        take_file(selected, *wheel);
        return selected;
      }
      if (!package.sdist) return std::nullopt;
      selected.kind = PackageKind::sdist;
      take_file(selected, *package.sdist);
      check_archive_name(selected.file);
      return selected;
    case LockSource::Kind::url:
    case LockSource::Kind::path: {
      selected.subdirectory = package.source.subdirectory;
      const bool is_wheel = file_name_of(package.source.location).ends_with(".whl");
      if (is_wheel) {
        const LockFile* wheel = best_wheel(package, ranks);
        if (wheel == nullptr) return std::nullopt;
        selected.kind = PackageKind::wheel;
        take_file(selected, *wheel);
      } else {
        selected.kind = PackageKind::archive;
        selected.file = file_name_of(package.source.location);
        if (package.sdist) take_file(selected, *package.sdist);
        check_archive_name(selected.file);
      }
      selected.location = without_fragment(package.source.location);
      return selected;
    }
    case LockSource::Kind::git:
      selected.kind = PackageKind::git;
      selected.location = package.source.location;
      selected.subdirectory = package.source.subdirectory;
      selected.git_commit = package.source.commit;
      return selected;
    case LockSource::Kind::directory:
    case LockSource::Kind::editable:
    case LockSource::Kind::virtual_folder:
      selected.kind = PackageKind::tree;
      selected.location = package.source.location;
      selected.editable = package.source.kind == LockSource::Kind::editable ? Editable::yes : Editable::no;
      return selected;
  }
  return std::nullopt;
}

}  // namespace veneer::python
