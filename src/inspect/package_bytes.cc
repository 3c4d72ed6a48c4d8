#include "inspect/package_bytes.hh"

#include <algorithm>

#include "foundation/error.hh"
#include "foundation/text.hh"

namespace veneer::inspect {

namespace {

constexpr std::string_view list_folder = "var/lib/dpkg/info/";
constexpr std::string_view list_end = ".list";
const std::string nobody;
const std::string database = "dpkg";

/// The source of byte code: "a/x.py" for "a/__pycache__/x.cpython-311.pyc" (PEP 3147); empty for any other path.
std::string source_of(std::string_view path) {
  constexpr std::string_view cache = "/__pycache__/";
  const std::size_t at = path.rfind(cache);
  if (at == std::string_view::npos || !path.ends_with(".pyc")) return {};
  const std::string_view name = path.substr(at + cache.size());
  return std::string(path.substr(0, at + 1)) + std::string(name.substr(0, name.find('.'))) + ".py";
}

/// Where a path of a list is found in the end; empty for one that leads nowhere.
std::string found_at(const tree::FileTree& tree, std::string_view listed) {
  while (listed.starts_with('/')) listed.remove_prefix(1);
  if (listed.empty() || listed == ".") return {};
  try {
    return tree.locate(listed);
  } catch (const Error&) {  // left out of the root, or a file stands in its way
    return {};
  }
}

}  // namespace

std::string_view listed_package(std::string_view path) {
  if (!path.starts_with(list_folder) || !path.ends_with(list_end)) return {};
  path.remove_prefix(list_folder.size());
  path.remove_suffix(list_end.size());
  return path.substr(0, path.find(':'));
}

PackageOwners::PackageOwners(const std::map<std::string, std::string>& lists, const tree::FileTree& tree) {
  for (const auto& [package, list] : lists) {
    for (const std::string& line : split_words(list, "\n")) {
      if (std::string path = found_at(tree, line); !path.empty()) owners_.emplace(std::move(path), package);
    }
  }
}

const std::string& PackageOwners::owner(const std::string& path) const {
  if (const auto found = owners_.find(path); found != owners_.end()) return found->second;
  if (const auto source = owners_.find(source_of(path)); source != owners_.end()) return source->second;
  return path.starts_with("var/lib/dpkg/") && !owners_.empty() ? database : nobody;
}

std::vector<PackageBytes> PackageOwners::sum(const std::vector<std::pair<std::string, std::uint64_t>>& files) const {
  std::map<std::string, PackageBytes> sums;
  for (const auto& [path, size] : files) {
    PackageBytes& row = sums[owner(path)];
    ++row.files;
    row.bytes += size;
  }
  std::vector<PackageBytes> rows;
  for (auto& [package, row] : sums) {
    row.package = package;
    rows.push_back(std::move(row));
  }
  std::ranges::stable_sort(rows, std::greater{}, &PackageBytes::bytes);
  return rows;
}

}  // namespace veneer::inspect
