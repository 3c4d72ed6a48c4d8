#include "tree/difference.hh"

#include <map>
#include <set>
#include <string_view>
#include <unordered_map>

#include "tree/hashed_content.hh"
#include "tree/whiteout.hh"

namespace veneer::tree {

using archive::EntryType;

namespace {

bool same_inode(const Inode& left, const Inode& right, ContentComparer& comparer) {
  if (&left == &right) return true;
  if (left.type != right.type || left.mode != right.mode || left.uid != right.uid || left.gid != right.gid ||
      left.mtime != right.mtime || left.link_target != right.link_target || left.device_major != right.device_major ||
      left.device_minor != right.device_minor || left.xattrs != right.xattrs) {
    return false;
  }
  return left.type != EntryType::file || comparer.same(*left.content, *right.content);
}

/// Decides which paths of `upper` are to be written.
class Comparison {
 public:
  Comparison(const FileTree& lower, const FileTree& upper) : lower_(lower), upper_(upper) {}

  Difference run() {
    mark_changed();
    mark_split_groups();
    find_whiteouts();
    mark_parents();
    return collect();
  }

 private:
  using Group = std::vector<std::string_view>;  // names of one Inode, in order

  void write(const Group& group) { written_.insert(group.begin(), group.end()); }

  void mark_changed() {
    for (const auto& [path, entry] : upper_.entries()) {
      const Inode* old = lower_.find(path);
      if (entry.inode->type == EntryType::folder) {
        if (old == nullptr || !same_inode(*old, *entry.inode, comparer_)) written_.insert(path);
        continue;
      }
      groups_[entry.inode.get()].push_back(path);
    }
    // A file is written under all of its names or under none: engines give a name written anew a file of its own.
    for (const auto& [inode, group] : groups_) {
      const Inode* first_old = lower_.find(group.front());
      bool whole = first_old != nullptr && same_inode(*first_old, *inode, comparer_);
      for (const std::string_view path : group) whole = whole && lower_.find(path) == first_old;
      if (!whole) write(group);
    }
  }

  /// Names that were hard links of each other and are no longer so, although the file is the same.
  void mark_split_groups() {
    std::unordered_map<const Inode*, const Inode*> kept;  // lower to upper
    for (const auto& [path, entry] : upper_.entries()) {
      if (entry.inode->type == EntryType::folder || written_.contains(path)) continue;
      const auto [found, is_new] = kept.emplace(lower_.find(path), entry.inode.get());
      if (!is_new && found->second != entry.inode.get()) write(groups_.at(entry.inode.get()));
    }
  }

  void find_whiteouts() {
    const auto is_kept_folder = [&](std::string_view path) {
      const Inode* now = path.empty() ? nullptr : upper_.find(path);
      return path.empty() || (now != nullptr && now->type == EntryType::folder);
    };
    for (const auto& [path, entry] : lower_.entries()) {
      // What lies below something that goes is gone with it.
      if (!is_kept_folder(parent_path(path))) continue;
      const Inode* now = upper_.find(path);
      const bool was_folder = entry.inode->type == EntryType::folder;
      if (now == nullptr || was_folder != (now->type == EntryType::folder)) whiteouts_.insert(path);
    }
  }

  void mark_parents() {
    std::set<std::string_view> parents;
    const auto add = [&](std::string_view path) {
      for (path = parent_path(path); !path.empty() && parents.insert(path).second;) path = parent_path(path);
    };
    for (const std::string_view path : written_) add(path);
    for (const std::string_view path : whiteouts_) add(path);
    written_.insert(parents.begin(), parents.end());
  }

  Difference collect() {
    Difference result;
    auto whiteout = whiteouts_.begin();
    const auto write_whiteouts_up_to = [&](std::string_view path) {
      for (; whiteout != whiteouts_.end() && *whiteout <= path; ++whiteout) add_whiteout(result, *whiteout);
    };
    std::unordered_map<const Inode*, std::string_view> first_paths;
    for (const std::string_view path : written_) {
      write_whiteouts_up_to(path);
      const Inode& inode = *upper_.find(path);
      if (inode.type == EntryType::folder) {
        result.entries.push_back(layer_entry(std::string(path), inode));
        continue;
      }
      const auto [first, is_new] = first_paths.emplace(&inode, path);
      if (is_new) {
        result.entries.push_back(layer_entry(std::string(path), inode));
        result.rewritten_bytes += held_already(inode);
      } else {
        result.entries.push_back(hard_link_entry(std::string(path), std::string(first->second), inode));
      }
    }
    for (; whiteout != whiteouts_.end(); ++whiteout) add_whiteout(result, *whiteout);
    return result;
  }

  static void add_whiteout(Difference& result, std::string_view path) {
    LayerEntry entry;
    entry.tar.path = whiteout_path(path);
    entry.tar.mode = 0644;
    entry.content = std::make_shared<archive::MemoryContent>(std::string_view());
    result.entries.push_back(std::move(entry));
    ++result.whiteouts;
  }

  /// The size of the file's data if `lower` has it under one of the file's names.
  std::uint64_t held_already(const Inode& inode) {
    if (inode.type != EntryType::file) return 0;
    for (const std::string_view path : groups_.at(&inode)) {
      const Inode* old = lower_.find(path);
      if (old != nullptr && old->type == EntryType::file && same_inode(*old, inode, comparer_)) {
        return inode.content->size();
      }
    }
    return 0;
  }

  const FileTree& lower_;
  const FileTree& upper_;
  ContentComparer comparer_;
  std::unordered_map<const Inode*, Group> groups_;
  std::set<std::string_view> written_;
  std::set<std::string_view> whiteouts_;
};

}  // namespace

Difference difference(const FileTree& lower, const FileTree& upper) { return Comparison(lower, upper).run(); }

}  // namespace veneer::tree
