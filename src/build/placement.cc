#include "build/placement.hh"

#include <fmt/format.h>

#include <vector>

#include "foundation/error.hh"

namespace veneer::build {

namespace {

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (!part.empty() && part != ".") parts.emplace_back(part);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return parts;
}

/// "a", "a/b" of "a/b/c".
std::vector<std::string> parents_of(std::string_view path) {
  std::vector<std::string> parents;
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    parents.emplace_back(path.substr(0, slash));
  }
  return parents;
}

}  // namespace

std::string Placement::resolve(std::string_view absolute) const {
  const std::vector<std::string> parts = split(absolute);
  if (!absolute.starts_with('/') || parts.empty()) {
    throw Error(ErrorKind::refused, fmt::format("'{}' is not an absolute path in the image", printable(absolute)));
  }
  std::string path;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] == "..") {
      throw Error(ErrorKind::refused, fmt::format("'{}' must not contain '..'", printable(absolute)));
    }
    if (!path.empty()) path += '/';
    path += parts[i];
    if (i + 1 == parts.size()) break;
    const tree::InodePointer inode = base_.inode(path);
    if (inode == nullptr || inode->type == archive::EntryType::folder) continue;
    if (inode->type == archive::EntryType::symlink) {
      const auto target = base_.resolve(path);
      if (target) {
        path = *target;
        if (path.empty() || base_.inode(path)->type == archive::EntryType::folder) continue;
      }
    }
    throw Error(ErrorKind::refused, fmt::format("'{}' cannot be written: in the base, /{} is no folder",
                                                printable(absolute), printable(path)));
  }
  return path;
}

tree::InodePointer Placement::folder(const std::string& path) const {
  if (tree::InodePointer found = base_.inode(path)) return found;
  return tree::make_folder(0755, 0, 0, fixed_time);
}

void Placement::add_parents(tree::FileTree& out, std::string_view path) const {
  for (const std::string& parent : parents_of(path)) {
    if (!out.contains(parent)) out.put(parent, folder(parent));
  }
}

std::string Placement::parent_facts(std::string_view path) const {
  std::string facts;
  for (const std::string& parent : parents_of(path)) {
    const tree::InodePointer inode = folder(parent);
    facts += fmt::format("{} {:o} {} {} {}\n", parent, inode->mode, inode->uid, inode->gid, inode->mtime);
  }
  return facts;
}

}  // namespace veneer::build
