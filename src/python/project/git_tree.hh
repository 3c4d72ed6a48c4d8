// What commits hold: their files by name, and the contents of those. Runs git, never the network, and no filter or hook
// of the repository; thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "python/project/git.hh"

namespace veneer::python {

/// A file or symbolic link of a commit.
struct GitFile {
  std::string path;
  std::uint32_t mode = 0;  // as git has it: 0100644, 0100755, 0120000
  std::string object;
};

/// git_output() of what the clone has: nothing that a partial one left out is fetched.
std::string local_git_output(const GitRepository& repository, std::vector<std::string> arguments);

/// The full name of the commit that `revision` stands for. Throws Error (not_found) when it stands for none, with a
/// hint for a shallow clone.
std::string find_commit(const GitRepository& repository, const std::string& revision);

/// Those of `commit` below `folder` (as git names it: "" or "api/"), as seen from there, in git's order; submodules are
/// not among them.
std::vector<GitFile> files_of_commit(const GitRepository& repository, const std::string& commit,
                                     const std::string& folder);

/// An entry of a tree object.
struct TreeEntry {
  std::uint32_t mode = 0;
  std::string name;
  std::string object;
};

/// Reads a tree object (git's documentation, "gitformat-pack" and "git cat-file"): modes and names, each with an object
/// name of `hash_bytes` bytes. Throws Error (refused) for what is none, and names with a slash.
std::vector<TreeEntry> parse_tree(std::string_view content, std::size_t hash_bytes);

/// Calls `take` for each of `trees` (object names, or empty: no files) with its files below it that `is_wanted`, as
/// files_of_commit() has them. A tree that several share is read once; one process for each level of folders.
void read_trees(const GitRepository& repository, const std::vector<std::string>& trees,
                const std::function<bool(const std::string& path)>& is_wanted,
                const std::function<void(std::size_t place, const std::vector<GitFile>& files)>& take);

/// Object names of what "COMMIT:PATH" name; empty where nothing is. One process for all.
std::vector<std::string> find_objects(const GitRepository& repository, const std::vector<std::string>& names);

/// Calls `take` with the place in `objects` and the content of each, in order. One process for all. Throws Error
/// (failed) for one that is not there, and (refused) for one above `largest` bytes.
void read_objects(const GitRepository& repository, const std::vector<std::string>& objects, std::uint64_t largest,
                  const std::function<void(std::size_t place, std::string_view content)>& take);

/// Writes `files` below the empty folder `to`. Throws Error (refused) for names that lead elsewhere, and for more than
/// `most` bytes.
void write_files(const GitRepository& repository, const std::vector<GitFile>& files, const std::filesystem::path& to,
                 std::uint64_t most);

}  // namespace veneer::python
