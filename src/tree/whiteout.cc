#include "tree/whiteout.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "tree/file_tree.hh"

namespace veneer::tree {

namespace {

constexpr std::string_view reserved_prefix = ".wh..wh.";

bool is_aufs_metadata(std::string_view first_part) {
  return first_part == ".wh..wh.aufs" || first_part == ".wh..wh.orph" || first_part == ".wh..wh.plnk";
}

}  // namespace

NameKind classify(std::string_view path) {
  if (is_aufs_metadata(path.substr(0, path.find('/')))) return NameKind::aufs_metadata;
  const std::string_view parent = parent_path(path);
  if (parent.starts_with(whiteout_prefix) || parent.find("/.wh.") != std::string_view::npos) {
    refuse("a whiteout has nothing below it");
  }
  const std::string_view name = base_name(path);
  if (!name.starts_with(whiteout_prefix)) return NameKind::plain;
  if (name == opaque_name) return NameKind::opaque;
  if (name.starts_with(reserved_prefix)) refuse("names that begin with .wh..wh. are reserved");
  const std::string_view target = whiteout_target(name);
  if (target.empty()) refuse("a whiteout without a name");
  if (target == "." || target == "..") refuse(fmt::format("a whiteout of '{}'", target));
  return NameKind::whiteout;
}

std::string_view whiteout_target(std::string_view name) { return name.substr(whiteout_prefix.size()); }

std::string whiteout_path(std::string_view path) {
  return join_path(parent_path(path), std::string(whiteout_prefix).append(base_name(path)));
}

}  // namespace veneer::tree
