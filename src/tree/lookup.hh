// Files that are looked up by their paths, one at a time: a whole tree, one above another, or one of which only a part
// is known. Looking up may be done by several threads where the implementation says so; FileTree does.
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

/// What Lookup::locate() does with a parent that is a link to nothing.
enum class DanglingParents {
  refused,
  followed,  // the names of what is missing are kept, as if it were made on the way
};

/// Paths are relative to the root: no leading or trailing slash, no empty, "." or ".." part. The root itself is not
/// listed.
class Lookup {
 public:
  virtual ~Lookup() = default;

  /// What is at `path` itself, links not followed; null when nothing is.
  virtual InodePointer inode(std::string_view path) const = 0;
  bool contains(std::string_view path) const { return inode(path) != nullptr; }

  /// Follows symbolic links inside the root, as the kernel would in a chroot: the path of what `path` names in the end
  /// ("" = the root), or nothing when it does not exist. More than 40 links are an Error (refused).
  std::optional<std::string> resolve(std::string_view path) const;

  /// Where something that is made at `path` ends up: links among its parents are followed as by resolve(), its last
  /// part is not; parents that do not exist keep their names. Refused with an Error: a parent that is a link to
  /// nothing (unless those are followed), that is not a folder, or that needs more than 40 links.
  std::string locate(std::string_view path, DanglingParents dangling = DanglingParents::refused) const;

 protected:
  Lookup() = default;
  Lookup(const Lookup&) = default;
  Lookup(Lookup&&) = default;
  Lookup& operator=(const Lookup&) = default;
  Lookup& operator=(Lookup&&) = default;

 private:
  std::optional<std::string> follow(std::string_view path, std::size_t& links, DanglingParents dangling) const;
};

/// One above another: what is in `upper` hides what `lower` has there, and what lies below it when it is no folder.
class Overlay : public Lookup {
 public:
  /// Both must outlive it.
  Overlay(const Lookup& lower, const Lookup& upper) : lower_(lower), upper_(upper) {}
  InodePointer inode(std::string_view path) const override;

 private:
  const Lookup& lower_;
  const Lookup& upper_;
};

/// "a/b" for "a/b/c", "" for "a".
std::string_view parent_path(std::string_view path);
/// "c" for "a/b/c".
std::string_view base_name(std::string_view path);
/// "a/b" for ("a", "b"), "b" for ("", "b").
std::string join_path(std::string_view folder, std::string_view name);

}  // namespace veneer::tree
