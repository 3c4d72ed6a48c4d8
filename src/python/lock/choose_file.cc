#include "python/lock/choose_file.hh"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "foundation/error.hh"
#include "python/lock/location.hh"
#include "python/wheel_file_name.hh"

namespace veneer::python {

namespace {

/// Build numbers order as a number, then as text (binary distribution format); a wheel without one comes first.
std::pair<std::string, std::string> build_order(const std::string& build) {
  const std::size_t end = std::min(build.find_first_not_of("0123456789"), build.size());
  std::string digits = build.substr(0, end);
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  // Numbers of equal length order as text do.
  return {fmt::format("{:08}{}", build.empty() ? 0 : digits.size() + 1, digits), build.substr(end)};
}

const LockFile* best_wheel(const LockPackage& package, const TagRanks& ranks) {
  const LockFile* best = nullptr;
  std::size_t best_rank = 0;
  std::pair<std::string, std::string> best_build;
  for (const LockFile& wheel : package.wheels) {
    // A name that cannot be read is a wheel that is never installed, and no reason to refuse the lock.
    const std::optional<WheelFileName> name = read_wheel_file_name(wheel.name);
    if (!name) continue;
    const auto rank = ranks.best(name->tags);
    if (!rank) continue;
    auto build = build_order(name->build);
    if (best == nullptr || *rank < best_rank || (*rank == best_rank && build > best_build)) {
      best = &wheel;
      best_rank = *rank;
      best_build = std::move(build);
    }
  }
  return best;
}

void take_file(SelectedPackage& selected, const LockFile& file) {
  selected.file = file.name;
  selected.location = file.location;
  selected.size = file.size;
  if (file.hash.empty()) return;
  if (!file.hash.starts_with("sha256:")) {
    throw Error(ErrorKind::refused, fmt::format("{} has the hash {}, veneer knows sha256 only", printable(file.name),
                                                printable(file.hash)));
  }
  selected.hash = FileHash::parse(file.hash);
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

std::optional<SelectedPackage> choose_file(const Lock& lock, std::size_t index, const TagRanks& ranks) {
  const LockPackage& package = lock.packages[index];
  SelectedPackage selected;
  selected.name = package.name;
  selected.version = package.version;
  switch (package.source.kind) {
    case LockSource::Kind::registry:
      if (const LockFile* wheel = best_wheel(package, ranks)) {
        selected.kind = PackageKind::wheel;
        take_file(selected, *wheel);
        return selected;
      }
      if (!package.sdist) return std::nullopt;
      selected.kind = PackageKind::sdist;
      take_file(selected, *package.sdist);
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
      selected.is_project = is_workspace_member(lock, index);
      return selected;
  }
  return std::nullopt;
}

}  // namespace veneer::python
