// A tree as files on this machine. Thread-safe for different folders.
#pragma once

#include <filesystem>

#include "tree/apply_layer.hh"
#include "tree/file_tree.hh"

namespace veneer::tree {

/// Keeps contents as files in the folder `staging`, which must outlive the tree that is made with it.
KeepContent keep_in(const std::filesystem::path& staging);

enum class Owners {
  mine,  // whoever runs this
  kept,  // as in the tree, which takes the superuser
};

/// Writes `tree`, whose contents were kept by keep_in(), below the empty folder `root`: the contents are moved there,
/// so the tree's are gone. Files keep their permission bits (and are readable and, as folders, writable by whoever runs
/// this), links their targets; times are now; set-user-ID bits, devices and pipes are left out. Nothing is ever written
/// through a link of the tree.
void move_to(const FileTree& tree, const std::filesystem::path& root, Owners owners = Owners::mine);

}  // namespace veneer::tree
