// How git is asked. Runs the git program; thread-safe.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "foundation/process.hh"

namespace veneer::python {

enum class History { complete, shallow };

/// Where a repository is.
struct GitRepository {
  std::filesystem::path root;        // of the work tree, as real_path() spells it
  std::vector<std::string> options;  // for git before each command, so that it works on this repository
  History history = History::complete;
  std::string object_format;  // "sha1"
  /// Files and folders of the repository by the names that `git rev-parse --git-path` takes: git_places.
  std::map<std::string, std::filesystem::path, std::less<>> places;
};

/// "index", "objects", and the files of a repository that change what git says of the work tree.
extern const std::vector<std::string> git_places;

/// The repository that `folder` is in, or nothing when it is in none. Throws Error: refused with a hint when git does
/// not trust the folder because it belongs to another user, not_found when there is no git program.
std::optional<GitRepository> find_git_repository(const std::filesystem::path& folder);

/// The submodule that is checked out in `root`; git trusts it as it trusts the repository that it is a part of.
GitRepository find_submodule(const std::filesystem::path& root);

/// `git -C folder arguments...`, without the variables of git_variables, in the C locale.
Command git_command(const std::filesystem::path& folder, std::vector<std::string> arguments);
/// The same for a repository.
Command git_command(const GitRepository& repository, std::vector<std::string> arguments);

/// What that command prints. Throws Error (failed) that quotes what git said.
std::string git_output(const GitRepository& repository, std::vector<std::string> arguments);

/// The URL of the remote "origin", as it is written, with whatever credentials are in it; empty when there is none.
std::string remote_of(const GitRepository& repository);

/// Throws Error that says what git said of `folder`, with a hint when it does not trust it.
[[noreturn]] void throw_git_error(const std::filesystem::path& folder, const CommandResult& result);

/// Variables that a surrounding git process may have set and that make another one look elsewhere.
extern const std::vector<std::string> git_variables;

}  // namespace veneer::python
