// A tree of files, as a container sees it, with contents that are read only when needed. Made from wheels, folders and
// layers; compared, merged and written as layers. A value: copies are cheap (contents are shared); one thread changes
// it at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "archive/content.hh"
#include "archive/tar.hh"

namespace veneer::tree {

/// What stands behind a name. Immutable. Two names with the same Inode object are hard links of each other (folders may
/// share one without being that).
struct Inode {
  archive::EntryType type = archive::EntryType::file;  // never hard_link
  std::uint32_t mode = 0;
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::int64_t mtime = 0;
  std::string link_target;  // symlinks only
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::map<std::string, std::string> xattrs;
  std::shared_ptr<const archive::Content> content;  // files only, never null for them
};

using InodePointer = std::shared_ptr<const Inode>;

/// What FileTree::locate() does with a parent that is a link to nothing.
enum class DanglingParents {
  refused,
  followed,  // the names of what is missing are kept, as if it were made on the way
};

/// Paths are relative to the root: no leading or trailing slash, no empty, "." or ".." part. The root itself is not
/// listed. Every parent of a listed path is listed as a folder (put() makes missing ones).
class FileTree {
 public:
  struct Entry {
    InodePointer inode;
    std::size_t layer = 0;  // index of the layer that put it here, from the bottom
  };
  using Map = std::map<std::string, Entry, std::less<>>;  // ordered by bytes, so parents precede their children

  const Map& entries() const { return entries_; }
  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }

  const Inode* find(std::string_view path) const;
  bool contains(std::string_view path) const { return find(path) != nullptr; }

  /// Puts `inode` at `path`, replacing what is there (a folder replaced by something else loses what is below it; a
  /// folder over a folder keeps it). Missing parents become folders like `missing_parent`. Refused with an Error that
  /// names what is wrong: a parent that is not a folder, a path that Linux cannot hold (a part over 255 bytes, over
  /// 4095 in all) or that is not of the form above, and more than 256 MiB of names in the tree: paths, link targets,
  /// attributes.
  void put(std::string_view path, InodePointer inode, std::size_t layer = 0);
  /// A folder at `path`, where nothing or a folder is, like a missing parent.
  void put_folder(std::string_view path, std::size_t layer = 0);
  /// Removes `path` and everything below it; nothing happens when it is not there.
  void remove(std::string_view path);
  /// Removes everything below `path` ("" = the root), keeping the folder.
  void remove_below(std::string_view path);

  /// Follows symbolic links inside the root, as the kernel would in a chroot: the path of what `path` names in the end
  /// ("" = the root), or nothing when it does not exist. More than 40 links are an Error (refused).
  std::optional<std::string> resolve(std::string_view path) const;

  /// Where something that is made at `path` ends up: links among its parents are followed as by resolve(), its last
  /// part is not; parents that do not exist keep their names. Refused with an Error: a parent that is a link to
  /// nothing (unless those are followed), that is not a folder, or that needs more than 40 links.
  std::string locate(std::string_view path, DanglingParents dangling = DanglingParents::refused) const;

  /// Mode, owner and time of folders that put() makes on the way: 0755 root, time 0 unless set.
  void set_missing_parent(Inode folder);

 private:
  std::optional<std::string> follow(std::string_view path, std::size_t& links, DanglingParents dangling) const;
  void make_parents(std::string_view path, std::size_t layer);
  void insert(std::string_view path, InodePointer inode, std::size_t layer);
  void erase(Map::iterator first, Map::iterator last);

  Map entries_;
  InodePointer missing_parent_;
  std::uint64_t name_bytes_ = 0;
};

/// "a/b" for "a/b/c", "" for "a".
std::string_view parent_path(std::string_view path);
/// "c" for "a/b/c".
std::string_view base_name(std::string_view path);
/// "a/b" for ("a", "b"), "b" for ("", "b").
std::string join_path(std::string_view folder, std::string_view name);

/// Convenience makers; times and owners are what the caller says.
InodePointer make_folder(std::uint32_t mode, std::uint64_t uid, std::uint64_t gid, std::int64_t mtime);
InodePointer make_symlink(std::string target, std::uint64_t uid, std::uint64_t gid, std::int64_t mtime);
InodePointer make_file(std::shared_ptr<const archive::Content> content, std::uint32_t mode, std::uint64_t uid,
                       std::uint64_t gid, std::int64_t mtime);

}  // namespace veneer::tree
