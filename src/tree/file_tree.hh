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

#include "tree/lookup.hh"

namespace veneer::tree {

/// Paths are relative to the root: no leading or trailing slash, no empty, "." or ".." part. The root itself is not
/// listed. Every parent of a listed path is listed as a folder (put() makes missing ones).
class FileTree : public Lookup {
 public:
  struct Entry {
    InodePointer inode;
    std::size_t layer = 0;  // index of the layer that put it here, from the bottom
  };
  using Map = std::map<std::string, Entry, std::less<>>;  // ordered by bytes, so parents precede their children

  const Map& entries() const { return entries_; }
  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }

  InodePointer inode(std::string_view path) const override;
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

  /// Mode, owner and time of folders that put() makes on the way: 0755 root, time 0 unless set.
  void set_missing_parent(Inode folder);

 private:
  void make_parents(std::string_view path, std::size_t layer);
  void insert(std::string_view path, InodePointer inode, std::size_t layer);
  void erase(Map::iterator first, Map::iterator last);

  Map entries_;
  InodePointer missing_parent_;
  std::uint64_t name_bytes_ = 0;
};

/// Convenience makers; times and owners are what the caller says.
InodePointer make_folder(std::uint32_t mode, std::uint64_t uid, std::uint64_t gid, std::int64_t mtime);
InodePointer make_symlink(std::string target, std::uint64_t uid, std::uint64_t gid, std::int64_t mtime);
InodePointer make_file(std::shared_ptr<const archive::Content> content, std::uint32_t mode, std::uint64_t uid,
                       std::uint64_t gid, std::int64_t mtime);

}  // namespace veneer::tree
