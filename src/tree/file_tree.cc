#include "tree/file_tree.hh"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "foundation/error.hh"

namespace veneer::tree {

using archive::EntryType;

namespace {

constexpr std::size_t longest_path = 4095;  // PATH_MAX of Linux, without the final NUL
constexpr std::size_t longest_part = 255;   // NAME_MAX
constexpr std::uint64_t most_name_bytes = 256ull << 20;

/// What an entry takes beside its content, about.
std::uint64_t name_bytes(std::string_view path, const Inode& inode) {
  std::uint64_t bytes = 32 + path.size() + inode.link_target.size();
  for (const auto& [name, value] : inode.xattrs) bytes += name.size() + value.size();
  return bytes;
}

void check_path(std::string_view path) {
  if (path.size() > longest_path) {
    refuse(fmt::format("the path '{}' is longer than {} bytes", printable(path), longest_path));
  }
  if (path.find('\0') != std::string_view::npos) refuse(fmt::format("the path '{}' holds a NUL", printable(path)));
  std::size_t start = 0;
  for (;;) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    const std::string_view part = path.substr(start, end - start);
    if (part.empty() || part == "." || part == "..") {
      refuse(fmt::format("the path '{}' has a part that is empty, '.' or '..'", printable(path)));
    }
    if (part.size() > longest_part) {
      refuse(fmt::format("the path '{}' has a part longer than {} bytes", printable(path), longest_part));
    }
    if (end == path.size()) return;
    start = end + 1;
  }
}

bool is_folder(const FileTree::Entry& entry) { return entry.inode->type == EntryType::folder; }

std::shared_ptr<Inode> make_inode(EntryType type, std::uint32_t mode, std::uint64_t uid, std::uint64_t gid,
                                  std::int64_t mtime) {
  auto inode = std::make_shared<Inode>();
  inode->type = type;
  inode->mode = mode;
  inode->uid = uid;
  inode->gid = gid;
  inode->mtime = mtime;
  return inode;
}

}  // namespace

const Inode* FileTree::find(std::string_view path) const {
  const auto found = entries_.find(path);
  return found == entries_.end() ? nullptr : found->second.inode.get();
}

InodePointer FileTree::inode(std::string_view path) const {
  const auto found = entries_.find(path);
  return found == entries_.end() ? nullptr : found->second.inode;
}

void FileTree::insert(std::string_view path, InodePointer inode, std::size_t layer) {
  name_bytes_ += name_bytes(path, *inode);
  if (name_bytes_ > most_name_bytes) {
    refuse(fmt::format("the tree holds more than {} MiB of names", most_name_bytes >> 20));
  }
  if (const auto found = entries_.find(path); found != entries_.end()) {
    name_bytes_ -= name_bytes(path, *found->second.inode);
    found->second = {std::move(inode), layer};
    return;
  }
  entries_.emplace(std::string(path), Entry{std::move(inode), layer});
}

void FileTree::erase(Map::iterator first, Map::iterator last) {
  for (auto entry = first; entry != last; ++entry) name_bytes_ -= name_bytes(entry->first, *entry->second.inode);
  entries_.erase(first, last);
}

void FileTree::make_parents(std::string_view path, std::size_t layer) {
  std::vector<std::string_view> missing;  // the deepest first
  for (std::string_view parent = parent_path(path); !parent.empty(); parent = parent_path(parent)) {
    const auto found = entries_.find(parent);
    if (found == entries_.end()) {
      missing.push_back(parent);
      continue;
    }
    if (!is_folder(found->second)) {
      refuse(fmt::format("'{}' cannot lie below '{}', which is not a folder", printable(path), printable(parent)));
    }
    break;
  }
  if (missing.empty()) return;
  if (!missing_parent_) missing_parent_ = make_folder(0755, 0, 0, 0);
  for (auto parent = missing.rbegin(); parent != missing.rend(); ++parent) insert(*parent, missing_parent_, layer);
}

void FileTree::put(std::string_view path, InodePointer inode, std::size_t layer) {
  check_path(path);
  make_parents(path, layer);
  if (inode->type != EntryType::folder) {
    if (const auto found = entries_.find(path); found != entries_.end() && is_folder(found->second)) {
      remove_below(path);
    }
  }
  insert(path, std::move(inode), layer);
}

void FileTree::put_folder(std::string_view path, std::size_t layer) {
  check_path(path);
  make_parents(path, layer);
  if (!missing_parent_) missing_parent_ = make_folder(0755, 0, 0, 0);
  insert(path, missing_parent_, layer);
}

void FileTree::remove(std::string_view path) {
  const auto found = entries_.find(path);
  if (found == entries_.end()) return;
  if (is_folder(found->second)) remove_below(path);
  erase(found, std::next(found));
}

void FileTree::remove_below(std::string_view path) {
  if (path.empty()) {
    erase(entries_.begin(), entries_.end());
    return;
  }
  // What lies below "a" are the names from "a/" up to, not including, "a0": '0' follows '/' in ASCII.
  const std::string first = std::string(path) + '/';
  const std::string last = std::string(path) + static_cast<char>('/' + 1);
  erase(entries_.lower_bound(first), entries_.lower_bound(last));
}

void FileTree::set_missing_parent(Inode folder) {
  folder.type = EntryType::folder;
  missing_parent_ = std::make_shared<const Inode>(std::move(folder));
}

InodePointer make_folder(std::uint32_t mode, std::uint64_t uid, std::uint64_t gid, std::int64_t mtime) {
  return make_inode(EntryType::folder, mode, uid, gid, mtime);
}

InodePointer make_symlink(std::string target, std::uint64_t uid, std::uint64_t gid, std::int64_t mtime) {
  auto inode = make_inode(EntryType::symlink, 0777, uid, gid, mtime);
  inode->link_target = std::move(target);
  return inode;
}

InodePointer make_file(std::shared_ptr<const archive::Content> content, std::uint32_t mode, std::uint64_t uid,
                       std::uint64_t gid, std::int64_t mtime) {
  auto inode = make_inode(EntryType::file, mode, uid, gid, mtime);
  inode->content = std::move(content);
  return inode;
}

}  // namespace veneer::tree
