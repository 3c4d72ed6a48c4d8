// Where files go on top of a base: paths follow the base's symbolic links (merged /usr), and folders above ours keep
// the base's mode, owner and time. Immutable after construction; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "tree/file_tree.hh"

namespace veneer::build {

/// Modification time of everything that veneer writes: 1980-01-01T00:00:00Z (docs/decisions/0002).
inline constexpr std::int64_t fixed_time = 315532800;

class Placement {
 public:
  /// `base` must outlive this.
  explicit Placement(const tree::Lookup& base) : base_(base) {}

  /// The path below the root at which "/some/absolute/path" must be written so that it is found there: symbolic links
  /// in the folders above it are followed as the base has them; the last part is not. Throws Error (refused) for
  /// relative paths, "..", and parents that are no folders.
  std::string resolve(std::string_view absolute) const;

  /// Puts every folder above `path` (as resolve() gives it) into `out`: as the base has it, else 0755 root. Existing
  /// entries of `out` are kept.
  void add_parents(tree::FileTree& out, std::string_view path) const;

  /// Mode, owner and time of the folders above `path`, as text for a layer key.
  std::string parent_facts(std::string_view path) const;

 private:
  tree::InodePointer folder(const std::string& path) const;

  const tree::Lookup& base_;
};

}  // namespace veneer::build
