// What a layer must hold to make one tree out of another. Pure but for the reading of contents; thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "tree/file_tree.hh"
#include "tree/write_layer.hh"

namespace veneer::tree {

struct Difference {
  /// In the order of the paths that they are about; a whiteout stands right before the entry that takes its place.
  std::vector<LayerEntry> entries;
  std::size_t whiteouts = 0;
  /// Data that `lower` holds already and that is written again because one of the file's hard links changed: a layer
  /// cannot link to a file of a lower one (moby#48140).
  std::uint64_t rewritten_bytes = 0;
};

/// The layer that makes `upper` out of `lower`: applying it to `lower` gives a tree that is equal to `upper`, hard
/// links too. Every folder above an entry is listed with its attributes, because engines would make up others. A folder
/// that turns into something else, or something else into a folder, is whited out first. Opaque markers are not used.
/// Contents are compared by size and hash, and only where the Inode objects differ.
Difference difference(const FileTree& lower, const FileTree& upper);

}  // namespace veneer::tree
