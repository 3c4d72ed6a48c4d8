// What a container of an image sees, and what each layer holds. Contents are hashed, not kept. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "image/blobs.hh"
#include "image/image.hh"
#include "inspect/package_bytes.hh"
#include "tree/apply_layer.hh"
#include "tree/file_tree.hh"

namespace veneer::inspect {

struct BigFile {
  std::string path;
  std::uint64_t size = 0;
};

struct LayerFacts {
  tree::AppliedLayer counts;
  std::uint64_t tar_size = 0;
  std::vector<BigFile> biggest;  // at most 5, the biggest first
  /// Of a layer in which Debian's packages have files: all of its files, by package. Their sum is counts.file_bytes.
  std::vector<PackageBytes> packages;
};

struct MergedTree {
  tree::FileTree tree;             // every file's content is a tree::HashedContent
  std::vector<LayerFacts> layers;  // bottom to top
};

/// Reads all layers of `image` from the bottom up. Throws Error: verification when a blob or a diff ID is not what the
/// image says, refused when a layer is malformed, not_found when a blob is missing; each says which layer.
MergedTree merge_layers(const image::Image& image, const image::Blobs& blobs);

/// {"entries": [...]}, in the order of the paths' bytes, as docs/formats.md ("The merged tree") says. Ends with a line
/// break.
std::string tree_to_json(const tree::FileTree& tree);

/// One line an entry: "a/" for a folder, "a -> target" for a symbolic link, "a => b" for a hard link to the name b of
/// the same layer that comes first, "a" for anything else. Unprintable bytes are escaped.
std::vector<std::string> tree_lines(const tree::FileTree& tree);

}  // namespace veneer::inspect
