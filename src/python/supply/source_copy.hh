// The sources of a project as its build shall see them: every file that git lists, changed and new ones included, and a
// repository with the same history, in a folder of its own. So a build sees of the droppings of earlier builds no more
// than that they are there, and leaves its own not in the user's checkout. Values; thread-safe.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "foundation/digest.hh"
#include "python/project/git_checkout.hh"
#include "python/project/secret.hh"
#include "python/supply/repository_copy.hh"

namespace veneer::python {

/// All that lies in a work tree and belongs to the sources of the projects in it.
struct SourceTree {
  std::filesystem::path root;                // of the git work tree, or the project's folder
  std::shared_ptr<const GitCheckout> git;    // null outside of git
  std::vector<RepositorySettings> settings;  // of each repository of the checkout
  std::vector<std::string> paths;            // files and symbolic links relative to root, sorted
  std::vector<std::string> folders;          // that are there besides: of submodules that are not checked out
  std::vector<std::string> left_out;         // ignored by git and too big to be taken along, relative to root
  std::vector<std::string> ignored;          // those of `paths` that git ignores
  std::vector<Secret> secrets;               // that git does not track, so that they are none of `paths`
  std::vector<Hash> contents;                // of each of `paths`
  Hash fingerprint;                          // of everything that copy_sources() would put there
};

/// Of one project.
struct ProjectSources {
  std::shared_ptr<const SourceTree> tree;  // never null
  std::filesystem::path subfolder;         // of the project below its root; empty when it is the root
  Hash fingerprint;                        // of tree and subfolder
};

/// Looks at projects, and at each checkout once, however many projects are in it. One thread.
class SourceFinder {
 public:
  explicit SourceFinder(GitCheckouts& checkouts) : checkouts_(checkouts) {}

  /// Of what git does not track, virtual environments, caches, logs and build results are passed over, but for the fact
  /// that git shows them, and so are secrets (secret_of()); the rest belongs to the sources, ignored files (a generated
  /// module, built JavaScript) up to 256 MB.
  /// Outside of git all files below `folder` but those are the sources. All of them are read.
  ProjectSources find(const std::filesystem::path& folder);

 private:
  GitCheckouts& checkouts_;
  std::map<std::filesystem::path, std::shared_ptr<const SourceTree>> trees_;  // by root
};

/// Makes the copy in `target`, an existing empty folder, in which git says the same as in the original: of submodules
/// (checked out, empty or not), of a sparse checkout, of files marked skip-worktree, assume-unchanged or intent-to-add,
/// of untracked files: those that were passed over are there as empty stand-ins (see add_stand_ins).
/// File modes are 0644 and 0755, whatever the umask; times are those of the originals. Returns the project's folder in
/// it. Throws Error: failed when a file changes meanwhile, refused when git does not say the same.
std::filesystem::path copy_sources(const ProjectSources& sources, const std::filesystem::path& target);

}  // namespace veneer::python
