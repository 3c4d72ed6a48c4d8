#include "python/supply/repository_copy.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/text.hh"
#include "python/project/project.hh"

namespace veneer::python {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t small_limit = 64ull << 20;

/// Files of a repository that change what git says of the work tree.
constexpr std::array small_files = {"shallow", "info/exclude", "info/attributes", "info/sparse-checkout"};

/// Settings that do, or that change the text of a version. None names a program but filters, which decide whether a
/// file counts as changed.
constexpr std::string_view settings_pattern =
    "core\\.(abbrev|attributesfile|autocrlf|eol|excludesfile|filemode|ignorecase|ignorestat|precomposeunicode|"
    "quotepath|safecrlf|sparsecheckout|sparsecheckoutcone|symlinks)|diff\\.ignoresubmodules|"
    "(filter|index|log|sparse|status|submodule|tag|versionsort)\\..*";

/// Where a clone without all objects gets the others from.
constexpr std::string_view promisor_pattern =
    "extensions\\.partialclone|remote\\..*\\.(promisor|partialclonefilter|url)";

bool is_of_promisor(const GitSetting& setting) {
  return setting.key.starts_with("remote.") || setting.key.starts_with("extensions.");
}

/// The user's own ones too: they may be meant for the folder of the original alone.
std::vector<GitSetting> settings_of(const GitRepository& repository) {
  const CommandResult found = run(git_command(
      repository, {"config", "-z", "--get-regexp", fmt::format("^({}|{})$", settings_pattern, promisor_pattern)}));
  std::vector<GitSetting> settings;  // exit code 1: none
  for (const std::string& text : split_words(found.output, nul)) {
    const std::size_t end = text.find('\n');
    GitSetting setting{text.substr(0, end), std::nullopt};
    if (end != std::string::npos) setting.value = text.substr(end + 1);
    settings.push_back(std::move(setting));
  }
  const bool is_partial = std::any_of(settings.begin(), settings.end(),
                                      [](const GitSetting& one) { return one.key.ends_with(".promisor"); });
  if (!is_partial) std::erase_if(settings, is_of_promisor);
  return settings;
}

std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '\n') {
      result += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

/// As a git configuration file has it: "section.name" or "section.any.thing.name".
std::string config_text(const GitSetting& setting) {
  const std::string_view key = setting.key;
  const std::size_t first = key.find('.');
  const std::size_t last = key.rfind('.');
  return fmt::format("[{}{}]\n\t{}{}\n", key.substr(0, first),
                     first == last ? "" : " " + in_quotes(key.substr(first + 1, last - first - 1)),
                     key.substr(last + 1), setting.value ? " = " + in_quotes(*setting.value) : "");
}

constexpr std::string_view untracked_mark = "? ";

void copy_if_there(const fs::path& from, const fs::path& to) {
  struct stat status {};
  if (::stat(from.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  make_folders(to.parent_path());
  std::error_code error;
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
  if (error) throw_system_error("copy", from, error.value());
  // Files that are younger than the index are read by git to be sure.
  const std::array times = {status.st_mtim, status.st_mtim};
  if (::utimensat(AT_FDCWD, to.c_str(), times.data(), 0) != 0) throw_system_error("write", to, errno);
}

bool is_ignored(const GitRepository& repository, const std::string& path) {
  return run(git_command(repository, {"check-ignore", "--quiet", "./" + path})).exit_code == 0;
}

/// Makes git show `entry` as untracked. No back end takes what lies in a folder of Subversion or is byte code; where
/// git ignores that, a .gitignore has the last word on itself.
void make_stand_in(const GitRepository& copy, const std::string& entry) {
  std::string file = entry;
  std::string_view text;
  if (entry.ends_with('/')) {
    file += ".svn/stand-in.pyc";
    if (is_ignored(copy, file)) {
      file = entry + ".gitignore";
      text = "!.gitignore\n";
    }
  }
  const fs::path place = copy.root / file;
  if (fs::exists(fs::symlink_status(place))) return;  // check_copy() tells
  make_folders(place.parent_path());
  write_text_file(place, text);
}

void copy_index(const GitRepository& repository, const fs::path& place) {
  const fs::path& index = repository.places.at("index");
  copy_if_there(index, place / "index");
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(index.parent_path(), error)) {
    const std::string name = entry.path().filename().native();
    if (name.starts_with("sharedindex.")) copy_if_there(entry.path(), place / name);
  }
}

std::vector<std::string> untracked_in(const std::set<std::string>& changes) {
  std::vector<std::string> entries;
  for (const std::string& line : changes) {
    if (line.starts_with(untracked_mark)) entries.push_back(changed_path(line));
  }
  return entries;
}

/// Each veneer.lock in git's index, but those of a sparse checkout.
std::vector<std::string> base_locks_in(const GitState& state) {
  std::vector<std::string> paths;
  for (const std::string& line : split_words(state.index, nul)) {
    const std::string path = line.substr(line.find('\t') + 1);
    if (is_base_lock(path) && !line.starts_with("S ")) paths.push_back(path);
  }
  return paths;
}

/// Without any veneer.lock.
std::string index_of_project(const GitState& state) {
  std::string index;
  for (const std::string& line : split_words(state.index, nul)) {
    if (!is_base_lock(line.substr(line.find('\t') + 1))) index += line + '\0';
  }
  return index;
}

/// The copy in `target` is asked as the original is.
GitRepository copy_of(const GitState& state, const fs::path& target) {
  GitRepository copy;
  copy.root = target;
  copy.options = state.repository.options;
  return copy;
}

}  // namespace

RepositorySettings read_settings(const GitRepository& repository) {
  RepositorySettings settings;
  settings.branch = run(git_command(repository, {"symbolic-ref", "--quiet", "HEAD"})).output;
  if (settings.branch.ends_with('\n')) settings.branch.pop_back();
  settings.references = git_output(repository, {"for-each-ref", "--format=create %(refname) %(objectname)", "refs/tags",
                                                "refs/heads", "refs/replace"});
  settings.settings = settings_of(repository);
  return settings;
}

std::string repository_facts(const GitState& state, const RepositorySettings& settings) {
  std::vector<std::string> facts = {state.commit, settings.branch, settings.references, index_of_project(state)};
  for (const std::string& line : state.changes) facts.push_back(line);
  for (const char* name : small_files) {
    facts.push_back(read_text_file_if_exists(state.repository.places.at(name), small_limit).value_or(""));
  }
  for (const GitSetting& setting : settings.settings) facts.push_back(config_text(setting));
  std::string text;
  for (const std::string& fact : facts) text += fmt::format("{}:{}", fact.size(), fact);
  return text;
}

void copy_repository(const GitState& state, const RepositorySettings& settings, const fs::path& work_tree,
                     const fs::path& place) {
  const GitRepository& original = state.repository;
  make_folders(work_tree);
  make_folders(place.parent_path());
  std::vector<std::string> init = {"init", "--quiet", "--template=", "--object-format=" + original.object_format};
  const bool is_apart = place != work_tree / ".git";
  if (is_apart) init.push_back("--separate-git-dir=" + place.native());
  run_checked(git_command(work_tree, std::move(init)));
  if (is_apart) {
    write_text_file(work_tree / ".git", "gitdir: " + place.lexically_relative(work_tree).generic_string() + "\n");
  }
  make_folders(place / "objects" / "info");
  write_text_file(place / "objects" / "info" / "alternates", original.places.at("objects").native() + "\n");
  for (const char* name : small_files) copy_if_there(original.places.at(name), place / name);

  std::string config = read_text_file(place / "config", small_limit);
  for (const GitSetting& setting : settings.settings) config += config_text(setting);
  // The copies have the times of their originals, by which git knows that a file is as it was.
  config += "[core]\n\tcheckStat = minimal\n\tfsmonitor = false\n\tuntrackedCache = false\n";
  write_text_file(place / "config", config);

  const auto git_there = [&](std::vector<std::string> arguments, std::string input = {}) {
    Command command = git_command(work_tree, std::move(arguments));
    command.input = std::move(input);
    run_checked(command);
  };
  if (!settings.references.empty()) git_there({"update-ref", "--stdin"}, settings.references);
  if (!settings.branch.empty()) {
    git_there({"symbolic-ref", "HEAD", settings.branch});
  } else if (!state.commit.empty()) {
    git_there({"update-ref", "--no-deref", "HEAD", state.commit});
  }
  copy_index(original, place);
  // As they are committed, whatever is pinned here now.
  for (const std::string& path : base_locks_in(state)) {
    const auto git = [&](std::vector<std::string> arguments) {
      arguments.insert(arguments.begin(), "--literal-pathspecs");
      arguments.insert(arguments.end(), {"--", path});
      return git_command(work_tree, std::move(arguments));
    };
    if (run(git({"checkout", "--quiet", "HEAD"})).exit_code != 0) run_checked(git({"rm", "--quiet", "--cached"}));
  }
}

std::vector<std::string> untracked_entries(const GitState& state) { return untracked_in(state.changes); }

void add_stand_ins(const GitState& state, const fs::path& target) {
  const std::vector<std::string> wanted = untracked_entries(state);
  if (wanted.empty()) return;
  const GitRepository copy = copy_of(state, target);
  const std::vector<std::string> shown = untracked_in(git_changes(copy));
  for (const std::string& entry : wanted) {
    if (!std::binary_search(shown.begin(), shown.end(), entry)) make_stand_in(copy, entry);
  }
}

fs::path submodule_place(const GitState& submodule, const fs::path& target) {
  const std::string& path = submodule.path;
  const fs::path link = submodule.repository.root / ".git";
  if (fs::is_directory(link)) return target / path / ".git";
  std::string text = read_text_file(link, small_limit);  // "gitdir: ../.git/modules/name"
  if (text.ends_with('\n')) text.pop_back();
  fs::path place = (target / path / text.substr(text.find(' ') + 1)).lexically_normal();
  const fs::path below = place.lexically_relative(target / ".git" / "modules");
  if (!below.empty() && *below.begin() != ".." && *below.begin() != ".") return place;
  return target / ".git" / "modules" / path;  // of a work tree that is not the repository's first
}

void check_copy(const GitState& state, const fs::path& target) {
  const auto differing = [&] {
    const std::set<std::string> found = git_changes(copy_of(state, target));
    std::vector<std::string> lines;
    std::set_symmetric_difference(state.changes.begin(), state.changes.end(), found.begin(), found.end(),
                                  std::back_inserter(lines));
    return lines;
  };
  std::vector<std::string> lines = differing();
  if (lines.empty()) return;
  for (const std::string& line : lines) {
    ::utimensat(AT_FDCWD, (target / changed_path(line)).c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
  }
  lines = differing();
  if (lines.empty()) return;
  throw Error(ErrorKind::refused,
              fmt::format("git sees {} otherwise in a copy of {} than there, so a version from git could be wrong",
                          printable(changed_path(lines.front())), printable(state.repository.root.native())),
              "if it was changed just now, run the command again; else build in a plain clone (git clone)");
}

}  // namespace veneer::python
