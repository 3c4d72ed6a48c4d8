#include "python/supply/source_copy.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <string_view>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/text.hh"

namespace veneer::python {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t ignored_limit = 256ull << 20;  // bytes of ignored files that are taken along
constexpr std::size_t ignored_count_limit = 5000;
constexpr std::size_t walk_limit = 500'000;

/// Names of files and folders that no build takes as its input.
bool is_dropping(std::string_view name) {
  constexpr std::array names = {".git",          ".hg",          ".svn",  ".venv",   "venv",        "__pycache__",
                                ".veneer",       "node_modules", ".tox",  ".nox",    ".mypy_cache", ".ruff_cache",
                                ".pytest_cache", ".hypothesis",  ".eggs", "build",   "dist",        "htmlcov",
                                ".coverage",     ".DS_Store",    ".idea", ".vscode", ".cache",      ".pytype"};
  return std::find(names.begin(), names.end(), name) != names.end() || name.ends_with(".pyc") ||
         name.ends_with(".egg-info") || name.ends_with(".log");
}

enum class Extent { complete, too_much };

bool has_dropping(const std::string& path) {
  const fs::path parts(path);
  return std::any_of(parts.begin(), parts.end(), [](const fs::path& part) { return is_dropping(part.native()); });
}

/// Collects the files and links below root/relative into `paths`, droppings and nested repositories' .git passed over.
Extent walk(const fs::path& root, const std::string& relative, std::size_t count_limit, std::uint64_t size_limit,
            std::vector<std::string>& paths) {
  std::vector<std::string> pending = {relative};
  std::uint64_t size = 0;
  std::size_t count = 0;
  while (!pending.empty()) {
    const std::string folder = std::move(pending.back());
    pending.pop_back();
    if (fs::exists(root / folder / "pyvenv.cfg")) continue;
    std::error_code error;
    const fs::directory_iterator entries(root / folder, error);
    if (error) throw_system_error("reading", root / folder, error.value());
    for (const fs::directory_entry& entry : entries) {
      const std::string name = entry.path().filename().native();
      if (is_dropping(name)) continue;
      const std::string path = folder.empty() ? name : folder + "/" + name;
      const fs::file_status status = entry.symlink_status();
      if (fs::is_directory(status)) {
        pending.push_back(path);
      } else if (fs::is_symlink(status) || fs::is_regular_file(status)) {
        if (fs::is_regular_file(status)) size += entry.file_size(error);
        if (++count > count_limit || size > size_limit) return Extent::too_much;
        paths.push_back(path);
      }
    }
  }
  return Extent::complete;
}

void add_field(Sha256& hash, std::string_view text) {
  hash.update(fmt::format("{}:", text.size()));
  hash.update(text);
}

/// Adds what is at root/path: kind, executable or not, content.
void add_file(Sha256& hash, const fs::path& root, const std::string& path) {
  add_field(hash, path);
  struct stat status {};
  if (::lstat((root / path).c_str(), &status) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) throw_system_error("reading", root / path, errno);
    return add_field(hash, "absent");
  }
  if (S_ISLNK(status.st_mode)) {
    add_field(hash, "link");
    return add_field(hash, fs::read_symlink(root / path).native());
  }
  if (S_ISDIR(status.st_mode)) {  // a submodule with changes
    add_field(hash, "folder");
    std::vector<std::string> below;
    if (walk(root, path, walk_limit, no_limit, below) == Extent::too_much) {
      throw Error(ErrorKind::refused, printable(path) + " holds too many files");
    }
    std::sort(below.begin(), below.end());
    for (const std::string& file : below) add_file(hash, root, file);
    return;
  }
  if (!S_ISREG(status.st_mode)) return add_field(hash, "special");
  add_field(hash, (status.st_mode & 0100) != 0 ? "program" : "file");
  File file(root / path);
  const Hash content = sha256(file);
  hash.update(content.bytes);
}

std::string without_slash(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  return path;
}

/// A path that git names becomes part of a path that we write to.
void check_path(const std::string& path) {
  for (const fs::path& part : fs::path(path)) {
    if (part == ".." || part == ".git" || path.starts_with('/')) {
      throw Error(ErrorKind::refused, "git lists the path " + printable(path));
    }
  }
}

void find_git_sources(ProjectSources& sources) {
  const GitState& git = *sources.git;
  const GitFiles files = list_git_files(git);
  std::vector<std::string> extra;
  for (const std::string& path : files.untracked) {
    if (has_dropping(path)) continue;
    if (!path.ends_with('/')) {
      extra.push_back(path);
    } else if (walk(git.root, without_slash(path), walk_limit, no_limit, extra) == Extent::too_much) {
      sources.left_out.push_back(path);
    }
  }
  for (const std::string& path : files.ignored) {
    if (has_dropping(path)) continue;
    std::vector<std::string> below;
    if (path.ends_with('/')) {
      if (walk(git.root, without_slash(path), ignored_count_limit, ignored_limit, below) == Extent::too_much) {
        sources.left_out.push_back(path);
        continue;
      }
    } else if (std::error_code error; fs::file_size(git.root / path, error) > ignored_limit && !error) {
      sources.left_out.push_back(path);
      continue;
    } else {
      below.push_back(path);
    }
    extra.insert(extra.end(), below.begin(), below.end());
  }
  std::sort(extra.begin(), extra.end());

  std::vector<std::string> changed = files.tracked;
  if (!git.commit.empty()) {
    const CommandResult difference =
        run(git_command(git.root, {"diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", "HEAD"}));
    if (difference.exit_code != 0) throw Error(ErrorKind::failed, "git diff failed: " + printable(difference.errors));
    changed = split_words(difference.output, nul);
  }
  const CommandResult status = run(git_command(git.root, {"status", "--porcelain=v1", "--no-renames", "-z",
                                                          "--untracked-files=no", "--ignore-submodules=none"}));
  if (status.exit_code != 0) throw Error(ErrorKind::failed, "git status failed: " + printable(status.errors));

  Sha256 hash;
  add_field(hash, git.commit);
  hash.update(git.tags.bytes);
  add_field(hash, status.output);
  for (const std::string& path : changed) add_file(hash, git.root, path);
  add_field(hash, "untracked");
  for (const std::string& path : extra) add_file(hash, git.root, path);
  add_field(hash, sources.subfolder.native());
  sources.fingerprint = hash.finish();

  std::set<std::string> all(files.tracked.begin(), files.tracked.end());
  all.insert(extra.begin(), extra.end());
  sources.paths.assign(all.begin(), all.end());
  sources.tracked = files.tracked;
}

void copy_one(const fs::path& from, const fs::path& to) {
  struct stat status {};
  if (::lstat(from.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return;  // tracked, but deleted
    throw_system_error("reading", from, errno);
  }
  if (S_ISDIR(status.st_mode) || (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode))) return;  // an empty submodule
  std::error_code error;
  fs::create_directories(to.parent_path(), error);
  if (error) throw_system_error("making", to.parent_path(), error.value());
  if (S_ISLNK(status.st_mode)) {
    fs::create_symlink(fs::read_symlink(from), to, error);
    if (error) throw_system_error("making", to, error.value());
    return;
  }
  fs::copy_file(from, to, error);
  if (error) throw_system_error("copying", from, error.value());
  if (::chmod(to.c_str(), (status.st_mode & 0100) != 0 ? 0755 : 0644) != 0) throw_system_error("writing", to, errno);
}

std::string git_text(const fs::path& folder, std::vector<std::string> arguments, std::string input = {}) {
  Command command = git_command(folder, std::move(arguments));
  command.input = std::move(input);
  std::string text = run_checked(command);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

void copy_if_there(const fs::path& from, const fs::path& to) {
  if (!fs::is_regular_file(from)) return;
  fs::create_directories(to.parent_path());
  fs::copy_file(from, to, fs::copy_options::overwrite_existing);
}

/// A repository in `target` that has the commit, tags, branches, index and attributes of the original and borrows its
/// objects. The original is only read.
void copy_repository(const GitState& git, const fs::path& target) {
  const auto place = [&](const char* name) {
    return fs::path(git_text(git.root, {"rev-parse", "--path-format=absolute", "--git-path", name}));
  };
  const std::string format = git_text(git.root, {"rev-parse", "--show-object-format"});
  git_text(target, {"init", "--quiet", "--template=", "--object-format=" + format, "."});
  const fs::path own = target / ".git";
  make_folders(own / "objects" / "info");
  write_text_file(own / "objects" / "info" / "alternates", place("objects").native() + "\n");
  copy_if_there(place("shallow"), own / "shallow");
  copy_if_there(place("info/exclude"), own / "info" / "exclude");
  copy_if_there(place("info/attributes"), own / "info" / "attributes");

  // Settings that decide whether a file counts as changed.
  const CommandResult settings =
      run(git_command(git.root, {"config", "--local", "-z", "--get-regexp",
                                 "^(core\\.(autocrlf|eol|filemode|symlinks|ignorecase)|filter\\..*)$"}));
  for (const std::string& setting : split_words(settings.output, nul)) {
    const std::size_t end = setting.find('\n');
    if (end != std::string::npos) git_text(target, {"config", setting.substr(0, end), setting.substr(end + 1)});
  }

  const std::string references =
      git_text(git.root, {"for-each-ref", "--format=create %(refname) %(objectname)", "refs/tags", "refs/heads"});
  if (!references.empty()) git_text(target, {"update-ref", "--stdin"}, references + "\n");
  const CommandResult branch = run(git_command(git.root, {"symbolic-ref", "--quiet", "HEAD"}));
  if (branch.exit_code == 0) {
    git_text(target, {"symbolic-ref", "HEAD", branch.output.substr(0, branch.output.find('\n'))});
  } else if (!git.commit.empty()) {
    git_text(target, {"update-ref", "--no-deref", "HEAD", git.commit});
  }
  const std::string index = run_checked(git_command(git.root, {"ls-files", "--stage", "-z"}));
  git_text(target, {"update-index", "-z", "--index-info"}, index);
}

}  // namespace

ProjectSources find_sources(const fs::path& folder) {
  ProjectSources sources;
  const fs::path absolute = fs::canonical(folder);
  sources.git = read_git_state(absolute);
  if (sources.git) {
    sources.root = fs::canonical(sources.git->root);
    sources.subfolder = absolute == sources.root ? fs::path() : absolute.lexically_relative(sources.root);
    find_git_sources(sources);
  } else {
    sources.root = absolute;
    if (walk(absolute, "", walk_limit, no_limit, sources.paths) == Extent::too_much) {
      throw Error(ErrorKind::refused,
                  fmt::format("{} holds more than {} files", printable(absolute.native()), walk_limit),
                  "put the project under git, so that it is known what belongs to it");
    }
    std::sort(sources.paths.begin(), sources.paths.end());
    Sha256 hash;
    for (const std::string& path : sources.paths) add_file(hash, sources.root, path);
    sources.fingerprint = hash.finish();
  }
  for (const std::string& path : sources.paths) check_path(path);
  return sources;
}

fs::path copy_sources(const ProjectSources& sources, const fs::path& target) {
  for (const std::string& path : sources.paths) copy_one(sources.root / path, target / path);
  if (sources.git) {
    copy_repository(*sources.git, target);
    // So that those who ask git for changes need not read every file.
    run(git_command(target, {"update-index", "-q", "--refresh"}));
  }
  return target / sources.subfolder;
}

}  // namespace veneer::python
