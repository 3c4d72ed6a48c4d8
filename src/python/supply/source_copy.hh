// The sources of a project as its build shall see them: every file that git lists, changed and new ones included, and a
// repository with the same history, in a folder of its own. So a build sees of the droppings of earlier builds no more
// than that they are there, and leaves its own not in the user's checkout. Called by app_wheel. Values; thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "foundation/digest.hh"
#include "python/project/git.hh"

namespace veneer::python {

/// One that is copied.
struct SourceRepository {
  std::string path;  // of its work tree, relative to the root; empty for the outermost
  GitState state;
  std::vector<std::string> untracked;  // see untracked_entries()
};

struct ProjectSources {
  std::filesystem::path root;       // of the git work tree, or the project's folder
  std::filesystem::path subfolder;  // of the project below root; empty when it is the root
  std::optional<GitState> git;
  std::vector<SourceRepository> repositories;  // the work tree's, and submodules that are checked out, outer ones first
  std::vector<std::string> paths;              // files and symbolic links relative to root, sorted
  std::vector<std::string> folders;            // that are there besides: of submodules that are not checked out
  std::vector<std::string> tracked;            // those of `paths` that git lists as its own; empty outside of git
  std::vector<std::string> left_out;           // ignored by git and too big to be taken along, relative to root
  std::vector<Hash> contents;                  // of each of `paths`
  Hash fingerprint;                            // of everything that copy_sources() would put there
};

/// Looks at the project in `folder`. Of what git does not track, virtual environments, caches, logs and build results
/// are passed over, but for the fact that git shows them; the rest belongs to the sources, ignored files (a generated
/// module, say) up to 256 MB. Outside of git all files below `folder` but those are the sources. All of them are read.
ProjectSources find_sources(const std::filesystem::path& folder);

/// Makes the copy in `target`, an existing empty folder, in which git says the same as in the original: of submodules
/// (checked out, empty or not), of a sparse checkout, of files marked skip-worktree, assume-unchanged or intent-to-add,
/// of untracked files: those that were passed over are there as empty stand-ins (see add_stand_ins).
/// File modes are 0644 and 0755, whatever the umask; times are those of the originals. Returns the project's folder in
/// it. Throws Error: failed when a file changes meanwhile, refused when git does not say the same.
std::filesystem::path copy_sources(const ProjectSources& sources, const std::filesystem::path& target);

}  // namespace veneer::python
