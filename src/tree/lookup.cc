#include "tree/lookup.hh"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "foundation/error.hh"

namespace veneer::tree {

namespace {

constexpr std::size_t most_links = 40;  // the kernel's limit in one path

/// The parts of a path yet to be walked, the next one last.
void push_parts(std::vector<std::string>& parts, std::string_view path) {
  std::size_t end = path.size();
  for (;;) {
    const std::size_t slash = end == 0 ? std::string_view::npos : path.rfind('/', end - 1);
    const std::size_t start = slash == std::string_view::npos ? 0 : slash + 1;
    if (const std::string_view part = path.substr(start, end - start); !part.empty() && part != ".") {
      parts.emplace_back(part);
    }
    if (slash == std::string_view::npos) return;
    end = slash;
  }
}

}  // namespace

std::string_view parent_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string join_path(std::string_view folder, std::string_view name) {
  std::string path(folder);
  if (!path.empty()) path += '/';
  return path += name;
}

std::optional<std::string> Lookup::follow(std::string_view path, std::size_t& links, DanglingParents dangling) const {
  std::vector<std::string> parts;
  push_parts(parts, path);
  std::string here;  // always the root or a listed folder, until the last part is reached
  while (!parts.empty()) {
    const std::string part = std::move(parts.back());
    parts.pop_back();
    if (part == "..") {
      here = std::string(parent_path(here));
      continue;
    }
    std::string next = join_path(here, part);
    const InodePointer inode = this->inode(next);
    if (inode == nullptr) {
      if (dangling == DanglingParents::refused) return std::nullopt;
      here = std::move(next);
      continue;
    }
    if (inode->type == archive::EntryType::symlink) {
      if (++links > most_links) {
        refuse(fmt::format("'{}' needs more than {} symbolic links to be followed", printable(path), most_links));
      }
      if (inode->link_target.starts_with('/')) here.clear();
      push_parts(parts, inode->link_target);
      continue;
    }
    if (inode->type != archive::EntryType::folder && !parts.empty()) return std::nullopt;
    here = std::move(next);
  }
  return here;
}

std::optional<std::string> Lookup::resolve(std::string_view path) const {
  std::size_t links = 0;
  return follow(path, links, DanglingParents::refused);
}

std::string Lookup::locate(std::string_view path, DanglingParents dangling) const {
  const std::string_view parent = parent_path(path);
  if (parent.empty()) return std::string(path);
  // A listed folder has folders above it, so there is no link on the way.
  if (const InodePointer inode = this->inode(parent); inode != nullptr && inode->type == archive::EntryType::folder) {
    return std::string(path);
  }
  std::size_t links = 0;
  std::string here;
  std::size_t start = 0;
  while (start < path.size()) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    std::string next = join_path(here, path.substr(start, end - start));
    InodePointer inode = this->inode(next);
    if (end == path.size()) return next;
    if (inode == nullptr) return join_path(here, path.substr(start));
    if (inode->type == archive::EntryType::symlink) {
      const std::optional<std::string> target = follow(next, links, dangling);
      if (!target) {
        refuse(fmt::format("the parent '{}' of '{}' is a symbolic link to '{}', which does not exist", printable(next),
                           printable(path), printable(inode->link_target)));
      }
      next = *target;
      inode = next.empty() ? nullptr : this->inode(next);
    }
    if (inode != nullptr && inode->type != archive::EntryType::folder) {
      refuse(fmt::format("'{}' cannot lie below '{}', which is not a folder", printable(path), printable(next)));
    }
    here = std::move(next);
    start = end + 1;
  }
  return here;
}

InodePointer Overlay::inode(std::string_view path) const {
  if (InodePointer found = upper_.inode(path)) return found;
  for (std::string_view parent = parent_path(path); !parent.empty(); parent = parent_path(parent)) {
    const InodePointer above = upper_.inode(parent);
    if (above != nullptr && above->type != archive::EntryType::folder) return nullptr;
  }
  return lower_.inode(path);
}

}  // namespace veneer::tree
