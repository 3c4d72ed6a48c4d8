// The application's part of the image: files of the project, empty files, folders that its user may write to. Reads the
// project's folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "build/placement.hh"
#include "foundation/digest.hh"
#include "python/project/project.hh"
#include "tree/file_tree.hh"

namespace veneer::build {

/// Which files of a folder are meant when a rule names it.
enum class FolderRule {
  listed_by_git,  // tracked files and untracked ones that are not ignored
  all,            // no repository: everything but byte code caches
};

struct ApplicationFiles {
  tree::FileTree tree;
  Hash content;  // hash_of(tree)
};

/// Depends on every path, mode, owner, link target and byte of data.
Hash hash_of(const tree::FileTree& tree);

/// What `image.files`, `image.empty_files` and `image.writable` ask for, placed on the base. `listed` are the files
/// that git lists, relative to the project's folder (FolderRule::listed_by_git). Throws Error: not_found for a rule
/// whose file is not there, refused for what is neither file, folder nor symbolic link, for links that lead outside,
/// and for two rules that give one path different files.
ApplicationFiles application_files(const python::Project& project, const Placement& placement, FolderRule rule,
                                   const std::vector<std::string>& listed);

}  // namespace veneer::build
