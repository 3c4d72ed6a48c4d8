// Writes trees as layers, in one canonical order. Thread-safe for different sinks. docs/formats.md, "The order of a
// layer's entries", describes it.
#pragma once

#include <memory>
#include <vector>

#include "archive/content.hh"
#include "archive/layer_writer.hh"
#include "archive/tar.hh"
#include "foundation/stream.hh"
#include "tree/file_tree.hh"

namespace veneer::tree {

/// One entry of a layer to be written.
struct LayerEntry {
  archive::TarEntry tar;
  std::shared_ptr<const archive::Content> content;  // files only
};

/// The entry for `inode` under `path`, with its data.
LayerEntry layer_entry(std::string path, const Inode& inode);
/// The entry for another name of what was written as `first_path`.
LayerEntry hard_link_entry(std::string path, std::string first_path, const Inode& inode);

/// All of `tree` in the order of its paths' bytes; of names that share an Inode the first carries the data, the others
/// are hard links to it. Throws Error (refused) for a name that a layer would read as a whiteout.
std::vector<LayerEntry> tree_entries(const FileTree& tree);

/// Writes `entries` as they stand. `blob` receives the canonical gzip form and is not committed. An Error says which
/// entry it was about.
archive::WrittenLayer write_entries(const std::vector<LayerEntry>& entries, ByteSink& blob);

/// Writes `entries` as they stand, not compressed: for programs that unpack them.
void write_tar(const std::vector<LayerEntry>& entries, ByteSink& tar);

/// write_entries(tree_entries(tree), blob).
archive::WrittenLayer write_layer(const FileTree& tree, ByteSink& blob);

}  // namespace veneer::tree
