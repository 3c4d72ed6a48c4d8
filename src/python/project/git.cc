#include "python/project/git.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <string_view>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/text.hh"

namespace veneer::python {

namespace {

namespace fs = std::filesystem;

void sort_unique(std::vector<std::string>& names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

[[noreturn]] void throw_git_error(const fs::path& folder, const CommandResult& result) {
  const std::string shown = printable(folder.native());
  if (result.errors.find("dubious ownership") != std::string::npos) {
    throw Error(ErrorKind::refused, fmt::format("git does not trust {}, because it belongs to another user", shown),
                fmt::format("run: git config --global --add safe.directory {}", shown));
  }
  throw Error(ErrorKind::failed, fmt::format("git cannot read {}: {}", shown, printable(result.errors, 1000)));
}

void read_commit(GitState& state) {
  const CommandResult head = run(git_command(state, {"log", "-1", "--format=%H %ct", "--no-show-signature", "HEAD"}));
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
}

bool is_repository(const fs::path& folder) { return fs::exists(fs::symlink_status(folder / ".git")); }

/// Lists one repository after the other, from the outermost on.
class Lister {
 public:
  GitFiles list(const GitState& state) {
    list_below("", state, Kind::known);
    for (auto* names : {&files_.tracked, &files_.untracked, &files_.ignored}) sort_unique(*names);
    return std::move(files_);
  }

 private:
  enum class Kind {
    known,   // the repository itself, or a submodule of it
    strange  // one that lies there and that git does not track
  };

  void list_below(const std::string& prefix, const GitState& state, Kind kind) {
    const bool is_known = kind == Kind::known;
    std::set<std::string> links;  // unmerged paths are there more than once
    folders_.clear();
    for (const std::string& line : split_words(git_output(state, {"ls-files", "-z", "--stage"}), nul)) {
      const std::string path = line.substr(line.find('\t') + 1);
      if (line.starts_with("160000 ")) {
        links.insert(path);
      } else if (is_file(state.root, path)) {
        (is_known ? files_.tracked : files_.untracked).push_back(prefix + path);
      }
    }
    const auto others = split_words(git_output(state, {"ls-files", "-z", "--others", "--exclude-standard"}), nul);
    for (const std::string& path : split_words(
             git_output(state, {"ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"}),
             nul)) {
      files_.ignored.push_back(prefix + path);
    }
    for (const std::string& path : others) {
      if (!path.ends_with('/')) {
        files_.untracked.push_back(prefix + path);
      } else if (const auto found = read_git_state(state.root / path); found && found->subfolder.empty()) {
        list_below(prefix + path, *found, Kind::strange);
      }
    }
    for (const std::string& path : links) {
      const fs::path folder = state.root / path;
      if (!is_folder(state.root, path)) continue;
      if (is_repository(folder)) {
        if (is_known) files_.submodules.push_back(prefix + path);
        list_below(prefix + path + "/", read_submodule_state(folder), kind);
      } else if (is_known) {
        files_.absent_submodules.push_back(prefix + path);
      }
    }
  }

  /// A link above it hides what git knows there.
  static bool is_folder(const fs::path& root, const fs::path& relative) {
    fs::path place = root;
    std::error_code error;
    for (const fs::path& part : relative) {
      place /= part;
      if (fs::symlink_status(place, error).type() != fs::file_type::directory) return false;
    }
    return true;
  }

  bool is_file(const fs::path& root, const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash != std::string::npos) {
      const auto [known, is_new] = folders_.try_emplace(path.substr(0, slash), false);
      if (is_new) known->second = is_folder(root, known->first);
      if (!known->second) return false;
    }
    std::error_code error;
    const fs::file_type type = fs::symlink_status(root / path, error).type();
    return type == fs::file_type::regular || type == fs::file_type::symlink;
  }

  GitFiles files_;
  std::map<std::string, bool> folders_;  // of the repository that is being listed: whether they are there
};

}  // namespace

const std::vector<std::string> git_variables = {
    "GIT_DIR",        "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR", "GIT_PREFIX",    "GIT_NAMESPACE",  "GIT_ALTERNATE_OBJECT_DIRECTORIES"};

Command git_command(const fs::path& folder, std::vector<std::string> arguments) {
  Command command;
  command.arguments = {"git", "-C", folder.native()};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  command.environment = {{"LC_ALL", "C"}, {"GIT_OPTIONAL_LOCKS", "0"}, {"GIT_TERMINAL_PROMPT", "0"}};
  command.unset = git_variables;
  return command;
}

Command git_command(const GitState& state, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), state.options.begin(), state.options.end());
  return git_command(state.root, std::move(arguments));
}

std::string git_output(const GitState& state, std::vector<std::string> arguments) {
  CommandResult result = run(git_command(state, std::move(arguments)));
  if (result.exit_code != 0) throw_git_error(state.root, result);
  return std::move(result.output);
}

std::optional<GitState> read_git_state(const fs::path& folder) {
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
  state.root = real_path(root);
  const fs::path asked = real_path(folder);
  if (asked != state.root) state.subfolder = asked.lexically_relative(state.root);
  read_commit(state);
  const std::string changes =
      git_output(state, {"status", "--porcelain=v1", "-z", "--untracked-files=normal", "--ignore-submodules=none"});
  if (!changes.empty()) state.worktree = Worktree::dirty;
  return state;
}

GitState read_submodule_state(const fs::path& root) {
  GitState state;
  state.root = root;
  state.options = {"--git-dir=.git", "--work-tree=."};
  if (git_output(state, {"rev-parse", "--is-shallow-repository"}) == "true\n") state.history = History::shallow;
  read_commit(state);
  return state;
}

GitFiles list_git_files(const GitState& state) { return Lister().list(state); }

}  // namespace veneer::python
