// Where the dynamic loader of an image or base looks by itself, without any configuration (ld.so(8)). Pure,
// thread-safe.
#pragma once

#include <string>
#include <vector>

#include "tree/file_tree.hh"

namespace veneer::tree {

/// lib, usr/lib and their like, and below them the folders of Debian's multiarch, which are built into its loader;
/// those of other machines hold nothing that fits. Not all of them need be in `tree`.
std::vector<std::string> usual_loader_folders(const FileTree& tree);

}  // namespace veneer::tree
