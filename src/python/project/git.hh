// What git knows about a folder. Called by cli and by app_wheel. Runs the git program; thread-safe.
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
  std::filesystem::path root;           // of the work tree
  std::string commit;                   // HEAD, in hexadecimal digits; empty before the first commit
  std::int64_t commit_time = 0;         // committer's time of HEAD, seconds since 1970; 0 before the first commit
  Worktree worktree = Worktree::clean;  // dirty: tracked files changed, or untracked ones that are not ignored
  History history = History::complete;
  Hash tags;  // of the names of all tags and what they point at
};

/// The state of the repository that `folder` is in, or nothing when it is in none. Throws Error: refused with a hint
/// when git does not trust the folder because it belongs to another user, not_found when there is no git program.
std::optional<GitState> read_git_state(const std::filesystem::path& folder);

/// The files that git lists, relative to the root, sorted. `tracked` includes those of submodules; `untracked` are not
/// ignored; `ignored` has the ignored files and folders, a folder (with a slash at its end) standing for all in it.
struct GitFiles {
  std::vector<std::string> tracked;
  std::vector<std::string> untracked;
  std::vector<std::string> ignored;
};
GitFiles list_git_files(const GitState& state);

/// `git -C folder arguments...`, without the variables that a surrounding git process may have set, in the C locale.
Command git_command(const std::filesystem::path& folder, std::vector<std::string> arguments);

}  // namespace veneer::python
