// What git knows about a folder. Called by cli and by source_copy. Runs the git program; thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "foundation/digest.hh"
#include "foundation/process.hh"

namespace veneer::python {

enum class Worktree { clean, dirty };
enum class History { complete, shallow };

struct GitState {
  std::filesystem::path root;           // of the work tree, as real_path() spells it
  std::filesystem::path subfolder;      // the folder that was asked for, below root; empty when it is the root
  std::vector<std::string> options;     // for git before each command, so that it works on this repository
  std::string commit;                   // HEAD, in hexadecimal digits; empty before the first commit
  std::int64_t commit_time = 0;         // committer's time of HEAD, seconds since 1970; 0 before the first commit
  Worktree worktree = Worktree::clean;  // dirty: tracked files changed, or untracked ones that are not ignored
  History history = History::complete;

  /// What the paths that git lists start with for files in `subfolder`: "" or "api/".
  std::string prefix() const { return subfolder.empty() ? "" : subfolder.generic_string() + "/"; }
};

/// The state of the repository that `folder` is in, or nothing when it is in none. Throws Error: refused with a hint
/// when git does not trust the folder because it belongs to another user, not_found when there is no git program.
std::optional<GitState> read_git_state(const std::filesystem::path& folder);

/// Commit and history of the submodule that is checked out in `root`; git trusts it as it trusts the repository that
/// it is a part of. `worktree` stays clean: the state of the repository above tells.
GitState read_submodule_state(const std::filesystem::path& root);

/// Files and links that are there, relative to the root, sorted; those of submodules that are checked out and of
/// repositories that git does not track are among them. `untracked` are not ignored; `ignored` has the ignored files
/// and folders, a folder (with a slash at its end) standing for all in it.
struct GitFiles {
  std::vector<std::string> tracked;
  std::vector<std::string> untracked;
  std::vector<std::string> ignored;
  std::vector<std::string> submodules;         // their folders, each before those in it
  std::vector<std::string> absent_submodules;  // folders of submodules that are not checked out
};
GitFiles list_git_files(const GitState& state);

/// `git -C folder arguments...`, without the variables of git_variables, in the C locale.
Command git_command(const std::filesystem::path& folder, std::vector<std::string> arguments);
/// The same for the repository of `state`.
Command git_command(const GitState& state, std::vector<std::string> arguments);

/// What that command prints. Throws Error (failed) that quotes what git said.
std::string git_output(const GitState& state, std::vector<std::string> arguments);

/// Variables that a surrounding git process may have set and that make another one look elsewhere.
extern const std::vector<std::string> git_variables;

}  // namespace veneer::python
