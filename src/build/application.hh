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
#include "python/project/secret.hh"
#include "tree/file_tree.hh"

namespace veneer::build {

/// The files of the project's folder, relative to it and sorted, by what becomes of them.
struct ProjectFiles {
  std::vector<std::string> listed;           // that a rule means which names a folder
  std::vector<std::string> left_out;         // that ignore_file leaves out
  std::string ignore_file;                   // ".dockerignore"; empty: there is none
  bool in_repository = false;                // then git says what is listed
  std::size_t ignored_by_git = 0;            // files, and folders with all that is in them
  std::vector<python::Secret> secrets;       // that git does not track; they are not listed
  std::vector<python::Secret> kept_secrets;  // that git tracks; they are listed
};

/// All files and links below `folder`, relative to it and sorted, but for byte code, virtual environments, images that
/// were built, and a repository's own files: what belongs to a project that git does not know.
std::vector<std::string> files_below(const std::filesystem::path& folder);

/// Whether a rule that names a folder brings the file at `path`, and none names it itself.
bool comes_with_a_folder(const python::Project& project, const std::string& path);

/// Paths of `tree` that hold a pointer of Git LFS in place of a file.
std::vector<std::string> lfs_pointers(const tree::FileTree& tree);

struct ApplicationFiles {
  tree::FileTree tree;
  Hash content;  // hash_of(tree)
};

/// Depends on every path, mode, owner, link target and byte of data.
Hash hash_of(const tree::FileTree& tree);

/// What `image.files`, `image.empty_files` and `image.writable` ask for, placed on the base. A rule that names a folder
/// brings those of `files.listed`, one that names a file that very file. Throws Error: not_found for a rule whose file
/// is not there, refused for what is neither file, folder nor symbolic link, for links that lead outside, and for two
/// rules that give one path different files.
ApplicationFiles application_files(const python::Project& project, const Placement& placement,
                                   const ProjectFiles& files);

}  // namespace veneer::build
