#include "python/project/git.hh"

#include <fmt/format.h>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/text.hh"

namespace veneer::python {

namespace {

namespace fs = std::filesystem;

std::string without_line_end(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

/// Where things are, with one question; `output` answers it, the root of the work tree last.
void take_places(GitRepository& repository, const std::string& output) {
  const std::vector<std::string> lines = split_fields(output, '\n');  // the last of them is empty
  constexpr std::size_t first_place = 3;
  repository.history = lines.at(1) == "true" ? History::shallow : History::complete;
  repository.object_format = lines.at(2);
  if (const std::size_t last = first_place + git_places.size(); lines.size() == last + 2) {
    repository.root = real_path(lines[last]);
    for (std::size_t i = 0; i < git_places.size(); ++i) repository.places[git_places[i]] = lines[first_place + i];
    return;
  }
  // A name on the way has line ends: one question each.
  const auto ask = [&](std::vector<std::string> question) {
    question.insert(question.begin(), {"rev-parse", "--path-format=absolute"});
    return without_line_end(git_output(repository, std::move(question)));
  };
  repository.root = real_path(ask({"--show-toplevel"}));
  for (const std::string& name : git_places) repository.places[name] = ask({"--git-path", name});
}

std::vector<std::string> question_of_places() {
  std::vector<std::string> question = {"rev-parse", "--path-format=absolute", "--is-inside-work-tree",
                                       "--is-shallow-repository", "--show-object-format"};
  for (const std::string& name : git_places) question.insert(question.end(), {"--git-path", name});
  question.push_back("--show-toplevel");
  return question;
}

}  // namespace

const std::vector<std::string> git_places = {"index",        "objects",         "shallow",
                                             "info/exclude", "info/attributes", "info/sparse-checkout"};

const std::vector<std::string> git_variables = {
    "GIT_DIR",        "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR", "GIT_PREFIX",    "GIT_NAMESPACE",  "GIT_ALTERNATE_OBJECT_DIRECTORIES"};

void throw_git_error(const fs::path& folder, const CommandResult& result) {
  const std::string shown = printable(folder.native());
  if (result.errors.find("dubious ownership") != std::string::npos) {
    throw Error(ErrorKind::refused, fmt::format("git does not trust {}, because it belongs to another user", shown),
                fmt::format("run: git config --global --add safe.directory {}", shown));
  }
  throw Error(ErrorKind::failed, fmt::format("git cannot read {}: {}", shown, printable(result.errors, 1000)));
}

Command git_command(const fs::path& folder, std::vector<std::string> arguments) {
  Command command;
  command.arguments = {"git", "-C", folder.native()};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  command.environment = {{"LC_ALL", "C"}, {"GIT_OPTIONAL_LOCKS", "0"}, {"GIT_TERMINAL_PROMPT", "0"}};
  command.unset = git_variables;
  return command;
}

Command git_command(const GitRepository& repository, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), repository.options.begin(), repository.options.end());
  return git_command(repository.root, std::move(arguments));
}

std::string git_output(const GitRepository& repository, std::vector<std::string> arguments) {
  CommandResult result = run(git_command(repository, std::move(arguments)));
  if (result.exit_code != 0) throw_git_error(repository.root, result);
  return std::move(result.output);
}

std::string remote_of(const GitRepository& repository) {
  return without_line_end(run(git_command(repository, {"config", "--get", "remote.origin.url"})).output);
}

std::optional<GitRepository> find_git_repository(const fs::path& folder) {
  const CommandResult found = run(git_command(folder, question_of_places()));
  if (found.exit_code != 0) {
    // A .git that was left behind, of another repository format, or not readable is no "none".
    if (found.errors.find("not a git repository (or any") != std::string::npos) return std::nullopt;
    throw_git_error(folder, found);
  }
  if (!found.output.starts_with("true\n")) return std::nullopt;  // inside of .git
  GitRepository repository;
  repository.root = folder;
  take_places(repository, found.output);
  return repository;
}

GitRepository find_submodule(const fs::path& root) {
  GitRepository repository;
  repository.root = root;
  repository.options = {"--git-dir=.git", "--work-tree=."};
  take_places(repository, git_output(repository, question_of_places()));
  return repository;
}

}  // namespace veneer::python
