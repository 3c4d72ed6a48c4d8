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

namespace veneer::python {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t small_limit = 64ull << 20;

/// Files of a repository that change what git says of the work tree.
constexpr std::array small_files = {"shallow", "info/exclude", "info/attributes", "info/sparse-checkout"};

/// Settings that do, or that change the text of a version. None names a program but filters, which decide whether a
/// file counts as changed.
constexpr const char* settings_pattern =
    "^(core\\.(abbrev|attributesfile|autocrlf|eol|excludesfile|filemode|ignorecase|ignorestat|precomposeunicode|"
    "quotepath|safecrlf|sparsecheckout|sparsecheckoutcone|symlinks)|diff\\.ignoresubmodules|"
    "(filter|index|log|sparse|status|submodule|tag|versionsort)\\..*)$";

/// Where a clone without all objects gets the others from.
constexpr const char* promisor_pattern =
    "^(extensions\\.partialclone|remote\\..*\\.(promisor|partialclonefilter|url))$";

struct Setting {
  std::string key;
  std::optional<std::string> value;  // none: "true"
};

std::vector<Setting> settings_like(const GitState& state, const char* pattern) {
  const CommandResult found = run(git_command(state, {"config", "-z", "--get-regexp", pattern}));
  std::vector<Setting> settings;  // exit code 1: none
  for (const std::string& text : split_words(found.output, nul)) {
    const std::size_t end = text.find('\n');
    Setting setting{text.substr(0, end), std::nullopt};
    if (end != std::string::npos) setting.value = text.substr(end + 1);
    settings.push_back(std::move(setting));
  }
  return settings;
}

/// The user's own ones too: they may be meant for the folder of the original alone.
std::vector<Setting> settings_of(const GitState& state) {
  std::vector<Setting> settings = settings_like(state, settings_pattern);
  const std::vector<Setting> remotes = settings_like(state, promisor_pattern);
  if (std::any_of(remotes.begin(), remotes.end(), [](const Setting& one) { return one.key.ends_with(".promisor"); })) {
    settings.insert(settings.end(), remotes.begin(), remotes.end());
  }
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
std::string config_text(const Setting& setting) {
  const std::string_view key = setting.key;
  const std::size_t first = key.find('.');
  const std::size_t last = key.rfind('.');
  return fmt::format("[{}{}]\n\t{}{}\n", key.substr(0, first),
                     first == last ? "" : " " + in_quotes(key.substr(first + 1, last - first - 1)),
                     key.substr(last + 1), setting.value ? " = " + in_quotes(*setting.value) : "");
}

fs::path place_of(const GitState& state, const char* name) {
  std::string path = git_output(state, {"rev-parse", "--path-format=absolute", "--git-path", name});
  if (path.ends_with('\n')) path.pop_back();
  return path;
}

std::string references(const GitState& state) {
  return git_output(
      state, {"for-each-ref", "--format=create %(refname) %(objectname)", "refs/tags", "refs/heads", "refs/replace"});
}

/// The branch that is checked out; empty for a detached HEAD.
std::string branch(const GitState& state) {
  std::string name = run(git_command(state, {"symbolic-ref", "--quiet", "HEAD"})).output;
  if (name.ends_with('\n')) name.pop_back();
  return name;
}

constexpr std::string_view untracked_mark = "? ";

/// One line for each file that differs between HEAD, index and work tree, and for each that is untracked; a folder of
/// these (with a slash at its end) stands for all in it.
std::set<std::string> changes(const GitState& state) {
  const std::vector<std::string> lines =
      split_words(git_output(state, {"status", "--porcelain=v2", "-z", "--no-renames", "--untracked-files=normal",
                                     "--ignore-submodules=none"}),
                  nul);
  return {lines.begin(), lines.end()};
}

/// The path in such a line: behind one field of an untracked file, ten of an unmerged one, eight else.
std::string changed_path(const std::string& line) {
  std::size_t start = 0;
  for (int fields = line.starts_with(untracked_mark) ? 1 : line.starts_with("u ") ? 10 : 8; fields > 0; --fields) {
    const std::size_t space = line.find(' ', start);
    if (space == std::string::npos) return {};
    start = space + 1;
  }
  return line.substr(start);
}

void copy_if_there(const fs::path& from, const fs::path& to) {
  struct stat status {};
  if (::stat(from.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  make_folders(to.parent_path());
  std::error_code error;
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
  if (error) throw_system_error("copying", from, error.value());
  // Files that are younger than the index are read by git to be sure.
  const std::array times = {status.st_mtim, status.st_mtim};
  if (::utimensat(AT_FDCWD, to.c_str(), times.data(), 0) != 0) throw_system_error("writing", to, errno);
}

bool is_ignored(const GitState& state, const std::string& path) {
  return run(git_command(state, {"check-ignore", "--quiet", "./" + path})).exit_code == 0;
}

/// Makes git show `entry` as untracked. No back end takes what lies in a folder of Subversion or is byte code; where
/// git ignores that, a .gitignore has the last word on itself.
void make_stand_in(const GitState& copy, const std::string& entry) {
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

void copy_index(const GitState& state, const fs::path& place) {
  const fs::path index = place_of(state, "index");
  copy_if_there(index, place / "index");
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(index.parent_path(), error)) {
    const std::string name = entry.path().filename().native();
    if (name.starts_with("sharedindex.")) copy_if_there(entry.path(), place / name);
  }
}

}  // namespace

std::string repository_facts(const GitState& state) {
  std::vector<std::string> facts = {state.commit, branch(state), references(state),
                                    git_output(state, {"ls-files", "-z", "--stage", "-v"})};
  for (const std::string& line : changes(state)) facts.push_back(line);
  for (const char* name : small_files) {
    facts.push_back(read_text_file_if_exists(place_of(state, name), small_limit).value_or(""));
  }
  for (const Setting& setting : settings_of(state)) facts.push_back(config_text(setting));
  std::string text;
  for (const std::string& fact : facts) text += fmt::format("{}:{}", fact.size(), fact);
  return text;
}

void copy_repository(const GitState& state, const fs::path& work_tree, const fs::path& place) {
  const std::string format = git_output(state, {"rev-parse", "--show-object-format"});
  make_folders(work_tree);
  make_folders(place.parent_path());
  std::vector<std::string> init = {"init", "--quiet",
                                   "--template=", "--object-format=" + format.substr(0, format.find('\n'))};
  const bool is_apart = place != work_tree / ".git";
  if (is_apart) init.push_back("--separate-git-dir=" + place.native());
  run_checked(git_command(work_tree, std::move(init)));
  if (is_apart) {
    write_text_file(work_tree / ".git", "gitdir: " + place.lexically_relative(work_tree).generic_string() + "\n");
  }
  make_folders(place / "objects" / "info");
  write_text_file(place / "objects" / "info" / "alternates", place_of(state, "objects").native() + "\n");
  for (const char* name : small_files) copy_if_there(place_of(state, name), place / name);

  std::string config = read_text_file(place / "config", small_limit);
  for (const Setting& setting : settings_of(state)) config += config_text(setting);
  // The copies have the times of their originals, by which git knows that a file is as it was.
  config += "[core]\n\tcheckStat = minimal\n\tfsmonitor = false\n\tuntrackedCache = false\n";
  write_text_file(place / "config", config);

  const auto git_there = [&](std::vector<std::string> arguments, std::string input = {}) {
    Command command = git_command(work_tree, std::move(arguments));
    command.input = std::move(input);
    run_checked(command);
  };
  if (const std::string created = references(state); !created.empty()) git_there({"update-ref", "--stdin"}, created);
  if (const std::string name = branch(state); !name.empty()) {
    git_there({"symbolic-ref", "HEAD", name});
  } else if (!state.commit.empty()) {
    git_there({"update-ref", "--no-deref", "HEAD", state.commit});
  }
  copy_index(state, place);
}

std::vector<std::string> untracked_entries(const GitState& state) {
  std::vector<std::string> entries;
  for (const std::string& line : changes(state)) {
    if (line.starts_with(untracked_mark)) entries.push_back(changed_path(line));
  }
  return entries;
}

void add_stand_ins(const GitState& state, const fs::path& target, const std::vector<std::string>& untracked) {
  GitState copy = state;
  copy.root = target;
  const std::vector<std::string> shown = untracked_entries(copy);
  for (const std::string& entry : untracked) {
    if (!std::binary_search(shown.begin(), shown.end(), entry)) make_stand_in(copy, entry);
  }
}

fs::path submodule_place(const GitState& submodule, const fs::path& target, const std::string& path) {
  const fs::path link = submodule.root / ".git";
  if (fs::is_directory(link)) return target / path / ".git";
  std::string text = read_text_file(link, small_limit);  // "gitdir: ../.git/modules/name"
  if (text.ends_with('\n')) text.pop_back();
  const fs::path place = (target / path / text.substr(text.find(' ') + 1)).lexically_normal();
  const fs::path below = place.lexically_relative(target / ".git" / "modules");
  if (!below.empty() && *below.begin() != ".." && *below.begin() != ".") return place;
  return target / ".git" / "modules" / path;  // of a work tree that is not the repository's first
}

void check_copy(const GitState& state, const fs::path& target) {
  GitState copy = state;
  copy.root = target;
  const std::set<std::string> wanted = changes(state);
  const auto differing = [&] {
    const std::set<std::string> found = changes(copy);
    std::vector<std::string> lines;
    std::set_symmetric_difference(wanted.begin(), wanted.end(), found.begin(), found.end(), std::back_inserter(lines));
    return lines;
  };
  for (const std::string& line : differing()) {
    ::utimensat(AT_FDCWD, (target / changed_path(line)).c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
  }
  const std::vector<std::string> lines = differing();
  if (lines.empty()) return;
  throw Error(ErrorKind::refused,
              fmt::format("git sees {} otherwise in a copy of {} than there, so a version from git could be wrong",
                          printable(changed_path(lines.front())), printable(state.root.native())),
              "if it was changed just now, run the command again; else build in a plain clone (git clone)");
}

}  // namespace veneer::python
