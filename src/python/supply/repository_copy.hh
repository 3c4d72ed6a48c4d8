// A repository for the copy of a work tree, so that programs which ask git there get the answers that they would get in
// the original. Runs git; thread-safe.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "python/project/git_checkout.hh"

namespace veneer::python {

struct GitSetting {
  std::string key;
  std::optional<std::string> value;  // none: "true"
};

/// What a copy has besides the state of its original.
struct RepositorySettings {
  std::string branch;      // that is checked out; empty for a detached HEAD
  std::string references;  // tags, branches and replacements, as `git update-ref --stdin` reads them
  std::vector<GitSetting> settings;
};

/// Asks git for them.
RepositorySettings read_settings(const GitRepository& repository);

/// All that copy_repository() takes over and that can make a build come out differently: HEAD, tags, branches, what the
/// index says of each file (contents and the bits assume-unchanged, skip-worktree and intent-to-add), which files git
/// takes for changed and shows as untracked, settings. Text for a key.
std::string repository_facts(const GitState& state, const RepositorySettings& settings);

/// Makes the repository of `work_tree`, which holds the copies of the files with their times, in `place`:
/// `work_tree`/.git or, for a submodule, where the file .git in it leads. It has commit, tags, branches, index and
/// settings of the original and borrows its objects; nothing that is done there changes the original.
void copy_repository(const GitState& state, const RepositorySettings& settings, const std::filesystem::path& work_tree,
                     const std::filesystem::path& place);

/// Where copy_repository() shall put the repository of the submodule; `target` is the copy of the outermost work tree.
/// As in the original: below .git/modules, or in the submodule itself.
std::filesystem::path submodule_place(const GitState& submodule, const std::filesystem::path& target);

/// What `git status` shows as untracked, sorted; a folder (with a slash at its end) stands for all in it.
std::vector<std::string> untracked_entries(const GitState& state);

/// Makes git show in the copy in `target` the untracked entries of the original that it does not show there, because
/// they were left out: an empty file in place of a file; in a folder, one that no build takes into a wheel.
void add_stand_ins(const GitState& state, const std::filesystem::path& target);

/// Throws Error unless git says the same of the copy in `target` as of the original. Files whose change git can only
/// see by more than time and size are given a new time first.
void check_copy(const GitState& state, const std::filesystem::path& target);

}  // namespace veneer::python
