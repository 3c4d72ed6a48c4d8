// Whether two trees are equal. For tests.
#pragma once

#include <unordered_map>

#include "tree/file_tree.hh"
#include "tree/hashed_content.hh"

namespace veneer::tree {

inline bool same_inode(const Inode& left, const Inode& right, ContentComparer& comparer) {
  return left.type == right.type && left.mode == right.mode && left.uid == right.uid && left.gid == right.gid &&
         left.mtime == right.mtime && left.link_target == right.link_target &&
         left.device_major == right.device_major && left.device_minor == right.device_minor &&
         left.xattrs == right.xattrs &&
         (left.type != archive::EntryType::file || comparer.same(*left.content, *right.content));
}

/// Whether both list the same paths with the same attributes and contents, and the same names are hard links of each
/// other. Layer numbers do not matter.
inline bool same_tree(const FileTree& left, const FileTree& right) {
  if (left.size() != right.size()) return false;
  ContentComparer comparer;
  std::unordered_map<const Inode*, const Inode*> to_right;
  std::unordered_map<const Inode*, const Inode*> to_left;
  auto other = right.entries().begin();
  for (const auto& [path, entry] : left.entries()) {
    const Inode* mine = entry.inode.get();
    const Inode* theirs = other->second.inode.get();
    if (path != other->first || !same_inode(*mine, *theirs, comparer)) return false;
    if (mine->type != archive::EntryType::folder) {
      if (to_right.emplace(mine, theirs).first->second != theirs) return false;
      if (to_left.emplace(theirs, mine).first->second != mine) return false;
    }
    ++other;
  }
  return true;
}

}  // namespace veneer::tree
