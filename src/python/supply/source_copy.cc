#include "python/supply/source_copy.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "foundation/digest.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/parallel.hh"
#include "python/project/project.hh"

namespace veneer::python {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t ignored_limit = 256ull << 20;  // bytes of ignored files that are taken along
constexpr std::size_t ignored_count_limit = 5000;
constexpr std::size_t walk_limit = 500'000;

/// Names of files and folders that no build takes as its input.
bool is_dropping(std::string_view name) {
  constexpr std::array names = {".git",          ".hg",          ".svn",   ".venv",   "venv",        "__pycache__",
                                ".veneer",       "node_modules", ".tox",   ".nox",    ".mypy_cache", ".ruff_cache",
                                ".pytest_cache", ".hypothesis",  ".eggs",  "htmlcov", ".coverage",   ".DS_Store",
                                ".idea",         ".vscode",      ".cache", ".pytype"};
  return std::find(names.begin(), names.end(), name) != names.end() || name == base_lock_name ||
         name.ends_with(".pyc") || name.ends_with(".egg-info") || name.ends_with(".log");
}

enum class Extent { complete, too_much };

/// What an earlier build left beside pyproject.toml or setup.py; a package may well have a folder of that name.
bool is_build_result(const fs::path& parent, std::string_view name) {
  return (name == "build" || name == "dist") &&
         (fs::exists(parent / "pyproject.toml") || fs::exists(parent / "setup.py"));
}

bool has_dropping(const fs::path& root, const std::string& path) {
  fs::path parent = root;
  for (const fs::path& part : fs::path(path)) {
    if (is_dropping(part.native()) || is_build_result(parent, part.native())) return true;
    parent /= part;
  }
  return false;
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
    if (error) throw_system_error("read", root / folder, error.value());
    for (const fs::directory_entry& entry : entries) {
      const std::string name = entry.path().filename().native();
      if (is_dropping(name) || is_build_result(root / folder, name)) continue;
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

/// Of what is at `path`: kind, executable or not, content.
Hash hash_of(const fs::path& path) {
  Sha256 hash;
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) throw_system_error("read", path, errno);
    add_field(hash, "absent");
  } else if (S_ISLNK(status.st_mode)) {
    add_field(hash, "link");
    add_field(hash, fs::read_symlink(path).native());
  } else if (S_ISREG(status.st_mode)) {
    add_field(hash, (status.st_mode & 0100) != 0 ? "program" : "file");
    File file(path);
    hash.update(sha256(file).bytes);
  } else {
    add_field(hash, "special");
  }
  return hash.finish();
}

std::vector<Hash> hash_all(const fs::path& root, const std::vector<std::string>& paths) {
  std::vector<Hash> hashes(paths.size());
  parallel_for(hashes.size(), default_workers(), [&](std::size_t i) { hashes[i] = hash_of(root / paths[i]); });
  return hashes;
}

Hash fingerprint_of(const SourceTree& tree) {
  Sha256 hash;
  for (std::size_t i = 0; i < tree.paths.size(); ++i) {
    add_field(hash, tree.paths[i]);
    hash.update(tree.contents[i].bytes);
  }
  add_field(hash, "folders");
  for (const std::string& folder : tree.folders) add_field(hash, folder);
  add_field(hash, "repositories");
  for (std::size_t i = 0; i < tree.settings.size(); ++i) {
    const GitState& state = tree.git->repositories[i];
    add_field(hash, state.path);
    add_field(hash, repository_facts(state, tree.settings[i]));
  }
  return hash.finish();
}

Hash fingerprint_of(const ProjectSources& sources) {
  Sha256 hash;
  hash.update(sources.tree->fingerprint.bytes);
  add_field(hash, sources.subfolder.native());
  return hash.finish();
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

/// What git does not track becomes a part of the sources, but for secrets.
void take_loose(SourceTree& sources, std::vector<std::string> loose) {
  sources.secrets = secrets_among(sources.root, loose);
  for (const Secret& secret : sources.secrets) {
    std::erase(loose, secret.path);
    std::erase(sources.ignored, secret.path);
  }
  sources.paths.insert(sources.paths.end(), loose.begin(), loose.end());
}

void take_checkout(SourceTree& sources) {
  const GitFiles& files = sources.git->files;
  for (const std::string& path : files.tracked) {
    if (!is_base_lock(path)) sources.paths.push_back(path);  // copy_repository() brings it
  }
  sources.folders = files.absent_submodules;
  for (const GitState& state : sources.git->repositories) {
    sources.settings.push_back(read_settings(state.repository));
    check_path(state.path);
    for (const std::string& entry : untracked_entries(state)) check_path(entry);
  }
  std::vector<std::string> loose;  // that git does not track
  for (const std::string& path : files.untracked) {
    if (!has_dropping(sources.root, path)) loose.push_back(path);
  }
  for (const std::string& path : files.absent_submodules) {  // git does not look into them
    if (walk(sources.root, path, walk_limit, no_limit, loose) == Extent::too_much) sources.left_out.push_back(path);
  }
  for (const std::string& path : files.ignored) {
    if (has_dropping(sources.root, path)) continue;
    std::vector<std::string> below;
    if (path.ends_with('/')) {
      if (walk(sources.root, without_slash(path), ignored_count_limit, ignored_limit, below) == Extent::too_much) {
        sources.left_out.push_back(path);
        continue;
      }
    } else if (std::error_code error; fs::file_size(sources.root / path, error) > ignored_limit && !error) {
      sources.left_out.push_back(path);
      continue;
    } else {
      below.push_back(path);
    }
    sources.ignored.insert(sources.ignored.end(), below.begin(), below.end());
  }
  loose.insert(loose.end(), sources.ignored.begin(), sources.ignored.end());
  take_loose(sources, std::move(loose));
}

void copy_one(const fs::path& from, const fs::path& to) {
  struct stat status {};
  if (::lstat(from.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return;  // copy_sources() sees it
    throw_system_error("read", from, errno);
  }
  if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) return;
  std::error_code error;
  fs::create_directories(to.parent_path(), error);
  if (error) throw_system_error("make", to.parent_path(), error.value());
  if (S_ISLNK(status.st_mode)) {
    fs::create_symlink(fs::read_symlink(from), to, error);
    if (error) throw_system_error("make", to, error.value());
  } else {
    fs::copy_file(from, to, error);
    if (error) throw_system_error("copy", from, error.value());
    if (::chmod(to.c_str(), (status.st_mode & 0100) != 0 ? 0755 : 0644) != 0) throw_system_error("write", to, errno);
  }
  const std::array times = {status.st_mtim, status.st_mtim};
  if (::utimensat(AT_FDCWD, to.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
    throw_system_error("write", to, errno);
  }
}

SourceTree read_tree(const fs::path& root, std::shared_ptr<const GitCheckout> git) {
  SourceTree tree;
  tree.root = root;
  tree.git = std::move(git);
  std::vector<std::string> loose;
  if (tree.git) {
    take_checkout(tree);
  } else if (walk(root, "", walk_limit, no_limit, loose) == Extent::complete) {
    take_loose(tree, std::move(loose));
  } else {
    throw Error(ErrorKind::refused, fmt::format("{} holds more than {} files", printable(root.native()), walk_limit),
                "put the project under git, so that it is known what belongs to it");
  }
  for (auto* paths : {&tree.ignored, &tree.paths}) {  // git lists a folder and files in it
    std::sort(paths->begin(), paths->end());
    paths->erase(std::unique(paths->begin(), paths->end()), paths->end());
  }
  for (const auto* paths : {&tree.paths, &tree.folders}) {
    for (const std::string& path : *paths) check_path(path);
  }
  tree.contents = hash_all(root, tree.paths);
  tree.fingerprint = fingerprint_of(tree);
  return tree;
}

}  // namespace

ProjectSources SourceFinder::find(const fs::path& folder) {
  const std::optional<GitFolder> git = checkouts_.find(folder);
  ProjectSources sources;
  if (git) sources.subfolder = git->subfolder;
  const fs::path root = git ? git->checkout->root() : real_path(folder);
  std::shared_ptr<const SourceTree>& tree = trees_[root];
  if (!tree) tree = std::make_shared<const SourceTree>(read_tree(root, git ? git->checkout : nullptr));
  sources.tree = tree;
  sources.fingerprint = fingerprint_of(sources);
  return sources;
}

fs::path copy_sources(const ProjectSources& sources, const fs::path& target) {
  const SourceTree& tree = *sources.tree;
  for (const std::string& folder : tree.folders) make_folders(target / folder);
  for (const std::string& path : tree.paths) copy_one(tree.root / path, target / path);
  const std::vector<Hash> copied = hash_all(target, tree.paths);
  const auto differing = std::mismatch(copied.begin(), copied.end(), tree.contents.begin()).first;
  if (differing != copied.end()) {
    const std::string& path = tree.paths[static_cast<std::size_t>(differing - copied.begin())];
    throw Error(ErrorKind::failed,
                fmt::format("{} changed while it was copied", printable((tree.root / path).native())),
                "run the command again, when nothing writes there");
  }
  if (!tree.git) return target / sources.subfolder;
  const auto work_tree = [&](const GitState& state) { return state.path.empty() ? target : target / state.path; };
  const std::vector<GitState>& repositories = tree.git->repositories;
  for (std::size_t i = 0; i < repositories.size(); ++i) {
    const GitState& state = repositories[i];
    copy_repository(state, tree.settings[i], work_tree(state),
                    state.path.empty() ? target / ".git" : submodule_place(state, target));
  }
  // What git says of a repository depends on those in it.
  for (auto state = repositories.rbegin(); state != repositories.rend(); ++state) {
    add_stand_ins(*state, work_tree(*state));
    check_copy(*state, work_tree(*state));
  }
  return target / sources.subfolder;
}

}  // namespace veneer::python
