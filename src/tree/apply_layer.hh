// Reads a layer onto a tree, as a container engine would: whiteouts, hard links, symbolic links among the parents.
// Nothing is written to disk. Thread-safe for different trees.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "archive/content.hh"
#include "archive/tar.hh"
#include "foundation/stream.hh"
#include "tree/file_tree.hh"

namespace veneer::tree {

/// Says how a file's data is kept: reads as much of `data` as it likes (exactly the file's bytes are there) and returns
/// what opens them later. `data_offset` is where the data begins in the uncompressed layer. Never null.
using KeepContent = std::function<std::shared_ptr<const archive::Content>(const archive::TarEntry& entry,
                                                                          ByteSource& data, std::uint64_t data_offset)>;

struct AppliedLayer {
  std::uint64_t files = 0;  // what the layer itself lists, whether or not a later entry replaces it
  std::uint64_t folders = 0;
  std::uint64_t links = 0;   // symbolic and hard
  std::uint64_t others = 0;  // devices and pipes
  std::uint64_t whiteouts = 0;
  std::uint64_t file_bytes = 0;
  /// What engines do not agree on, or what surely was not meant; each names the entry. At most 100.
  std::vector<std::string> findings;
};

/// Reads `tar` (uncompressed) to its end and applies it to `tree` as layer number `layer` (0 = the bottom one).
///
/// As engines with overlayfs do it (docs/receivers.md, "Layers over each other"): the layer is unpacked by itself,
/// its entries in order, the last one of a name wins, links among parents are followed inside the root and inside
/// this layer only. Then it covers the tree: whiteouts (image-spec layer.md) hide what lower layers hold, wherever
/// they stand and whatever type of entry they are; a folder over a folder changes its attributes (or none, when the
/// layer does not list it), over anything else it replaces it, also a symbolic link to a folder; anything else over
/// a folder replaces the folder with all below it. Beyond what engines do: an opaque marker of the root hides all
/// (as the specification says), whiteouts may stand behind what takes their place, hard links may name files of
/// lower layers that this layer does not hide. The root's own entry is passed over, as is the metadata of AUFS
/// (.wh..wh.aufs, .wh..wh.orph, .wh..wh.plnk).
///
/// Throws Error (refused), naming layer and entry, for: parent parts (".."), whiteouts without a name or of "." or
/// "..", links to nothing, to folders or to themselves, character devices 0:0 (which overlayfs reads as whiteouts),
/// and everything that FileTree and TarReader refuse. The tree is then in no useful state.
AppliedLayer apply_layer(FileTree& tree, ByteSource& tar, std::size_t layer, const KeepContent& keep_content);

}  // namespace veneer::tree
