#include "python/project/git_checkout.hh"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "foundation/file.hh"
#include "foundation/text.hh"
#include "python/project/project.hh"

namespace veneer::python {

namespace {

namespace fs = std::filesystem;

const std::vector<std::string> list_index = {"ls-files", "-z", "--stage", "-v"};

void sort_unique(std::vector<std::string>& names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

void read_commit(GitState& state) {
  const CommandResult head =
      run(git_command(state.repository, {"log", "-1", "--format=%H %ct", "--no-show-signature", "HEAD"}));
  if (head.exit_code == 0) {
    const std::size_t space = head.output.find(' ');
    state.commit = head.output.substr(0, space);
    if (space != std::string::npos) {
      std::from_chars(head.output.data() + space + 1, head.output.data() + head.output.size(), state.commit_time);
    }
  } else if (head.errors.find("unknown revision") == std::string::npos &&
             head.errors.find("does not have any commits") == std::string::npos &&
             head.errors.find("bad revision") == std::string::npos) {
    throw_git_error(state.repository.root, head);
  }
}

GitState read_state(GitRepository repository, std::string path) {
  GitState state{std::move(repository), std::move(path), {}, 0, {}, {}};
  read_commit(state);
  state.index = git_output(state.repository, list_index);
  state.changes = git_changes(state.repository);
  return state;
}

bool is_repository(const fs::path& folder) { return fs::exists(fs::symlink_status(folder / ".git")); }

/// Reads one repository after the other, from the outermost on.
class ConfigReader {
 public:
  GitCheckout read(const GitRepository& repository) {
    read_known("", repository);
    GitFiles& files = checkout_.files;
    for (auto* names : {&files.tracked, &files.untracked, &files.ignored}) sort_unique(*names);
    return std::move(checkout_);
  }

 private:
  enum class Kind {
    known,   // the repository itself, or a submodule of it
    strange  // one that lies there and that git does not track
  };

  void read_known(const std::string& prefix, const GitRepository& repository) {
    checkout_.repositories.push_back(read_state(repository, prefix.substr(0, prefix.empty() ? 0 : prefix.size() - 1)));
    list_below(prefix, repository, checkout_.repositories.back().index, Kind::known);
  }

  /// `index`: of the repository, as list_index has it.
  void list_below(const std::string& prefix, const GitRepository& repository, const std::string& index, Kind kind) {
    const bool is_known = kind == Kind::known;
    const fs::path& root = repository.root;
    GitFiles& files = checkout_.files;
    std::set<std::string> links;  // unmerged paths are there more than once
    folders_.clear();
    for (const std::string& line : split_words(index, nul)) {
      const std::string path = line.substr(line.find('\t') + 1);
      if (line.substr(line.find(' ') + 1).starts_with("160000 ")) {
        links.insert(path);
      } else if (is_file(root, path)) {
        (is_known ? files.tracked : files.untracked).push_back(prefix + path);
      }
    }
    const auto listed = [&](std::vector<std::string> options) {
      options.insert(options.begin(), {"ls-files", "-z", "--others", "--exclude-standard"});
      return split_words(git_output(repository, std::move(options)), nul);
    };
    for (const std::string& path : listed({"--ignored", "--directory"})) files.ignored.push_back(prefix + path);
    for (const std::string& path : listed({})) {
      if (is_base_lock(path)) continue;
      if (!path.ends_with('/')) {
        files.untracked.push_back(prefix + path);
      } else if (const auto found = find_git_repository(root / path); found && found->root == real_path(root / path)) {
        list_below(prefix + path, *found, git_output(*found, list_index), Kind::strange);
      }
    }
    for (const std::string& path : links) {
      const fs::path folder = root / path;
      if (!is_folder(root, path)) continue;
      if (!is_repository(folder)) {
        if (is_known) files.absent_submodules.push_back(prefix + path);
      } else if (is_known) {
        read_known(prefix + path + "/", find_submodule(folder));
      } else {
        const GitRepository submodule = find_submodule(folder);
        list_below(prefix + path + "/", submodule, git_output(submodule, list_index), kind);
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

  GitCheckout checkout_;
  std::map<std::string, bool> folders_;  // of the repository that is being listed: whether they are there
};

/// Where git would find the repository of `folder`: the nearest folder above it with a .git, on the same file system.
/// Empty when there is none.
fs::path nearest_repository(const fs::path& folder) {
  const auto device = [](const fs::path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? std::optional(status.st_dev) : std::nullopt;
  };
  const auto start = device(folder);
  for (fs::path place = folder; device(place) == start; place = place.parent_path()) {
    if (is_repository(place)) return place;
    if (!place.has_relative_path()) break;
  }
  return {};
}

}  // namespace

std::optional<GitFolder> GitCheckouts::find(const fs::path& folder) {
  const fs::path asked = real_path(folder);
  const fs::path nearest = nearest_repository(asked);
  auto known = read_.find(nearest);
  if (known == read_.end()) {
    const std::optional<GitRepository> repository = find_git_repository(folder);
    // A .git need not be a repository, and its work tree may lie elsewhere.
    const fs::path root = repository ? repository->root : fs::path();
    known = read_.find(root);
    if (known == read_.end()) {
      auto checkout = repository ? std::make_shared<const GitCheckout>(ConfigReader().read(*repository)) : nullptr;
      if (!checkout && !nearest.empty()) return std::nullopt;
      known = read_.emplace(root, std::move(checkout)).first;
    }
  }
  if (!known->second) return std::nullopt;
  const fs::path& root = known->second->root();
  return GitFolder{known->second, asked == root ? fs::path() : asked.lexically_relative(root)};
}

std::string changed_path(const std::string& line) {
  std::size_t start = 0;
  for (int fields = line.starts_with("? ") ? 1 : line.starts_with("u ") ? 10 : 8; fields > 0; --fields) {
    const std::size_t space = line.find(' ', start);
    if (space == std::string::npos) return {};
    start = space + 1;
  }
  return line.substr(start);
}

std::set<std::string> git_changes(const GitRepository& repository) {
  const std::vector<std::string> lines =
      split_words(git_output(repository, {"status", "--porcelain=v2", "-z", "--no-renames", "--untracked-files=normal",
                                          "--ignore-submodules=none"}),
                  nul);
  std::set<std::string> changes;
  for (const std::string& line : lines) {
    if (line.starts_with("# ") || is_base_lock(changed_path(line))) continue;  // "# stash 1"
    changes.insert(line);
  }
  return changes;
}

}  // namespace veneer::python
