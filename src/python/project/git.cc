#include "python/project/git.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "foundation/error.hh"
#include "foundation/text.hh"

namespace veneer::python {

namespace {

std::vector<std::string> sorted_unique(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

[[noreturn]] void throw_git_error(const std::filesystem::path& folder, const CommandResult& result) {
  const std::string shown = printable(folder.native());
  if (result.errors.find("dubious ownership") != std::string::npos) {
    throw Error(ErrorKind::refused, fmt::format("git does not trust {}, because it belongs to another user", shown),
                fmt::format("run: git config --global --add safe.directory {}", shown));
  }
  throw Error(ErrorKind::failed, fmt::format("git cannot read {}: {}", shown, printable(result.errors, 1000)));
}

}  // namespace

Command git_command(const std::filesystem::path& folder, std::vector<std::string> arguments) {
  Command command;
  command.arguments = {"git", "-C", folder.native()};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  command.environment = {{"LC_ALL", "C"}, {"GIT_OPTIONAL_LOCKS", "0"}, {"GIT_TERMINAL_PROMPT", "0"}};
  command.unset = {"GIT_DIR",        "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
                   "GIT_COMMON_DIR", "GIT_PREFIX",    "GIT_NAMESPACE",  "GIT_ALTERNATE_OBJECT_DIRECTORIES"};
  return command;
}

std::optional<GitState> read_git_state(const std::filesystem::path& folder) {
  const CommandResult place =
      run(git_command(folder, {"rev-parse", "--is-inside-work-tree", "--is-shallow-repository", "--show-toplevel"}));
  if (place.exit_code != 0) {
    // A .git that was left behind, of another repository format, or not readable is no "none".
    if (place.errors.find("not a git repository (or any") != std::string::npos) return std::nullopt;
    throw_git_error(folder, place);
  }
  const std::size_t first = place.output.find('\n');
  const std::size_t second = place.output.find('\n', first + 1);
  if (place.output.substr(0, first) != "true" || second == std::string::npos) return std::nullopt;  // inside of .git
  GitState state;
  if (place.output.substr(first + 1, second - first - 1) == "true") state.history = History::shallow;
  std::string root = place.output.substr(second + 1);
  if (root.ends_with('\n')) root.pop_back();
  state.root = root;

  const CommandResult head =
      run(git_command(state.root, {"log", "-1", "--format=%H %ct", "--no-show-signature", "HEAD"}));
  if (head.exit_code == 0) {
    const std::size_t space = head.output.find(' ');
    state.commit = head.output.substr(0, space);
    if (space != std::string::npos) {
      std::from_chars(head.output.data() + space + 1, head.output.data() + head.output.size(), state.commit_time);
    }
  } else if (head.errors.find("unknown revision") == std::string::npos &&
             head.errors.find("does not have any commits") == std::string::npos &&
             head.errors.find("bad revision") == std::string::npos) {
    throw_git_error(state.root, head);
  }

  const CommandResult status = run(git_command(
      state.root, {"status", "--porcelain=v1", "-z", "--untracked-files=normal", "--ignore-submodules=none"}));
  if (status.exit_code != 0) throw_git_error(state.root, status);
  if (!status.output.empty()) state.worktree = Worktree::dirty;

  const CommandResult tags =
      run(git_command(state.root, {"for-each-ref", "--format=%(objectname) %(refname)", "refs/tags"}));
  if (tags.exit_code != 0) throw_git_error(state.root, tags);
  state.tags = sha256(tags.output);
  return state;
}

GitFiles list_git_files(const GitState& state) {
  const auto list = [&](std::vector<std::string> options) {
    std::vector<std::string> arguments = {"ls-files", "-z"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const CommandResult result = run(git_command(state.root, std::move(arguments)));
    if (result.exit_code != 0) throw_git_error(state.root, result);
    return sorted_unique(split_words(result.output, nul));
  };
  return {list({"--cached", "--recurse-submodules"}), list({"--others", "--exclude-standard"}),
          list({"--others", "--ignored", "--exclude-standard", "--directory"})};
}

}  // namespace veneer::python
