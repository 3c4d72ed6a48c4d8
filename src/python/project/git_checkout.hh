// What git says of the checkout that a folder lies in, read once: every later question is answered by the
// value. Runs git; values are thread-safe, GitCheckouts is for one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "python/project/git.hh"

namespace veneer::python {

/// Of one repository.
struct GitState {
  GitRepository repository;
  std::string path;               // of its work tree below that of the outermost repository; empty for that one itself
  std::string commit;             // HEAD, in hexadecimal digits; empty before the first commit
  std::int64_t commit_time = 0;   // committer's time of HEAD, seconds since 1970; 0 before the first commit
  std::string index;              // what `git ls-files -z --stage -v` prints
  std::set<std::string> changes;  // see git_changes()
};

/// Files and links that are there, relative to the root, sorted; those of submodules that are checked out and of
/// repositories that git does not track are among them. `untracked` are not ignored; `ignored` has the ignored files
/// and folders, a folder (with a slash at its end) standing for all in it.
struct GitFiles {
  std::vector<std::string> tracked;
  std::vector<std::string> untracked;  // without any veneer.lock, which git then does not know of
  std::vector<std::string> ignored;
  std::vector<std::string> absent_submodules;  // folders of submodules that are not checked out
};

struct GitCheckout {
  std::vector<GitState> repositories;  // the outermost, and submodules that are checked out, each before those in it
  GitFiles files;

  const GitState& outermost() const { return repositories.front(); }
  const std::filesystem::path& root() const { return outermost().repository.root; }
  /// No tracked files changed, and no untracked ones but ignored ones. A veneer.lock does not count.
  bool is_clean() const { return outermost().changes.empty(); }
};

/// A folder of a checkout.
struct GitFolder {
  std::shared_ptr<const GitCheckout> checkout;  // never null
  std::filesystem::path subfolder;              // below its root; empty when it is the root

  /// What the paths that git lists start with for files in `subfolder`: "" or "api/".
  std::string prefix() const { return subfolder.empty() ? "" : subfolder.generic_string() + "/"; }
};

/// Reads each checkout once, however many folders of it are asked for.
class GitCheckouts {
 public:
  /// Nothing for a folder that is in no repository. Errors as of find_git_repository().
  std::optional<GitFolder> find(const std::filesystem::path& folder);

 private:
  std::map<std::filesystem::path, std::shared_ptr<const GitCheckout>> read_;  // by root; "": folders that are in none
};

/// One line for each file that differs between HEAD, index and work tree, and for each that is untracked, as `git
/// status --porcelain=v2` prints it; a folder of these (with a slash at its end) stands for all in it. Without those of
/// any veneer.lock: what it says is no part of the project's state.
std::set<std::string> git_changes(const GitRepository& repository);

/// The path in a line of git_changes(): behind one field of an untracked file, ten of an unmerged one, eight else.
std::string changed_path(const std::string& line);

}  // namespace veneer::python
