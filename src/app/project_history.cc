#include "app/project_history.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "python/project/git.hh"
#include "python/project/project.hh"

namespace veneer::app {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t guessed_size = 100'000;
constexpr std::size_t least_tags = 2;

/// What a commit has of the project: object names; empty where a file is not there.
struct Files {
  std::string lock;
  std::string pyproject;
  std::string dockerfile;
};

class Reader {
 public:
  Reader(const ProjectHistoryRequest& request, Surroundings& surroundings)
      : request_(request),
        surroundings_(surroundings),
        project_(python::read_project(surroundings.current_folder())),
        lock_path_(python::find_lock(project_.folder)) {
    const auto repository = python::find_git_repository(project_.folder);
    if (!repository) {
      throw Error(ErrorKind::not_found, fmt::format("{} is in no git repository", printable(project_.folder.native())),
                  "name records of deploys by --records");
    }
    repository_ = *repository;
  }

  ProjectHistory read() {
    ProjectHistory result;
    const std::vector<std::string> commits = events(result);
    result.history.project = project_.name;
    const std::vector<Files> files = files_of(commits);
    std::size_t number = 0;
    for (const Files& each : files) {
      surroundings_.messages().progress(fmt::format("reading locks: {} of {} deploys", ++number, files.size()));
      replay::Deploy deploy{.set = {}, .lock = each.lock, .pyproject = each.pyproject, .dockerfile = each.dockerfile};
      if (!each.lock.empty()) deploy.set = set_of(each, commits[number - 1], result.history);
      result.history.deploys.push_back(std::move(deploy));
    }
    surroundings_.messages().clear_progress();
    if (sets_.empty()) {
      throw Error(ErrorKind::not_found,
                  fmt::format("no deploy in the history of {} has a lock", printable(project_.name)),
                  "lock the project by 'uv lock' and commit uv.lock");
    }
    result.estimated = estimate_sizes(result.history);
    return result;
  }

 private:
  /// Commits, oldest first.
  std::vector<std::string> events(ProjectHistory& result) const {
    std::vector<std::string> commits;
    if (request_.events != DeployEvents::commits) {
      // An annotated tag's own name comes first, that of its commit behind it.
      for (const std::string& line :
           split_words(python::git_output(repository_,
                                          {"for-each-ref", "--merged=HEAD", "--sort=creatordate",
                                           "--format=%(objectname) %(*objectname) %(refname:strip=2)", "refs/tags"}),
                       "\n")) {
        const std::vector<std::string> fields = split_words(line, " ");
        const std::string& commit = fields[fields.size() - 2];
        if (commits.empty() || commits.back() != commit) {
          commits.push_back(commit);
          result.names.push_back(fields.back());
        }
        if (fields.back() == request_.until) break;
      }
      result.events = DeployEvents::tags;
      if (request_.events == DeployEvents::tags || commits.size() >= least_tags) return commits;
    }
    result.events = DeployEvents::commits;
    commits =
        split_words(python::git_output(repository_, {"log", "--first-parent", "--reverse", "--format=%H", "HEAD", "--",
                                                     in_repository(project_.folder), in_repository(lock_path_)}),
                    "\n");
    result.names.clear();
    for (const std::string& commit : commits) result.names.push_back(commit.substr(0, 12));
    return commits;
  }

  /// As git names a path of the work tree.
  std::string in_repository(const fs::path& path) const {
    std::string name = path.lexically_relative(repository_.root).generic_string();
    if (name.find('\n') != std::string::npos) throw Error(ErrorKind::refused, "the project's path has a line break");
    return name;
  }

  /// One process of git for all of them.
  std::vector<Files> files_of(const std::vector<std::string>& commits) const {
    const std::array names = {in_repository(lock_path_), in_repository(project_.folder / "pyproject.toml"),
                              in_repository(project_.folder / project_.dockerfile.value_or("Dockerfile"))};
    Command command = python::git_command(repository_, {"cat-file", "--batch-check=%(objectname)"});
    for (const std::string& commit : commits) {
      for (const std::string& name : names) command.input += fmt::format("{}:{}\n", commit, name);
    }
    const CommandResult said = run(command);
    const std::vector<std::string> lines = split_words(said.output, "\n");
    if (said.exit_code != 0 || lines.size() != names.size() * commits.size()) {
      python::throw_git_error(repository_.root, said);
    }
    const auto object = [&](std::size_t line) { return lines[line].find(' ') == std::string::npos ? lines[line] : ""; };
    std::vector<Files> files;
    for (std::size_t i = 0; i < lines.size(); i += names.size())
      files.push_back({object(i), object(i + 1), object(i + 2)});
    return files;
  }

  std::string text_of(const std::string& object) const {
    return python::git_output(repository_, {"cat-file", "blob", object});
  }

  /// Read once for each text of lock and pyproject.toml.
  std::optional<std::size_t> set_of(const Files& files, const std::string& commit, replay::History& history) {
    const auto [known, is_new] = read_.try_emplace({files.lock, files.pyproject});
    if (!is_new) return known->second;
    python::Selection selection;
    try {
      selection = selection_of(files);
    } catch (const Error& error) {
      surroundings_.messages().warning(
          fmt::format("{} counts as a deploy without a lock: {}", commit.substr(0, 12), error.what()));
      return known->second;
    }
    std::vector<std::size_t> set;
    for (const python::SelectedPackage& package : selection.packages) {
      if (!package.is_project) set.push_back(wheel_of(package, history));
    }
    std::sort(set.begin(), set.end());
    const auto [place, is_other] = sets_.try_emplace(set, history.sets.size());
    if (is_other) history.sets.push_back(set);
    known->second = place->second;
    return known->second;
  }

  python::Selection selection_of(const Files& files) const {
    const PastTexts texts{.lock = text_of(files.lock),
                          .lock_name = lock_path_.filename().native(),
                          .pyproject = files.pyproject.empty() ? "" : text_of(files.pyproject),
                          .base_lock = {},
                          .python_version = {}};
    python::SelectRequest selection{.target = past_target(texts, request_.target), .project = project_.name};
    selection.options.extras = together(project_.extras, request_.extras);
    selection.options.groups = together(project_.groups, request_.groups);
    if (!project_.package.empty()) selection.options.packages = {project_.package};
    return python::select(*read_past_lock(texts, surroundings_), selection);
  }

  static std::vector<std::string> together(std::vector<std::string> names, const std::vector<std::string>& more) {
    names.insert(names.end(), more.begin(), more.end());
    return names;
  }

  std::size_t wheel_of(const python::SelectedPackage& package, replay::History& history) {
    std::string hash =
        package.hash ? package.hash->text() : package.location + "#" + package.git_commit + "#" + package.version;
    const auto [known, is_new] = wheels_.try_emplace({package.name, hash}, history.wheels.size());
    if (is_new) {
      history.wheels.push_back({.name = package.name, .hash = std::move(hash), .bytes = package.size.value_or(0)});
      if (!package.size) without_size_.insert(known->second);
    }
    return known->second;
  }

  /// Returns how many sizes it had to guess.
  std::size_t estimate_sizes(replay::History& history) const {
    std::map<std::string_view, std::vector<std::uint64_t>> sizes;
    for (std::size_t i = 0; i < history.wheels.size(); ++i) {
      if (!without_size_.contains(i)) sizes[history.wheels[i].name].push_back(history.wheels[i].bytes);
    }
    for (auto& [name, known] : sizes) std::sort(known.begin(), known.end());
    for (const std::size_t place : without_size_) {
      const auto known = sizes.find(history.wheels[place].name);
      history.wheels[place].bytes = known == sizes.end() ? guessed_size : known->second[known->second.size() / 2];
    }
    return without_size_.size();
  }

  const ProjectHistoryRequest& request_;
  Surroundings& surroundings_;
  python::Project project_;
  fs::path lock_path_;
  python::GitRepository repository_;
  std::map<std::pair<std::string, std::string>, std::optional<std::size_t>> read_;  // sets, by lock and pyproject.toml
  std::map<std::vector<std::size_t>, std::size_t> sets_;
  std::map<std::pair<std::string, std::string>, std::size_t> wheels_;  // places, by name and hash
  std::set<std::size_t> without_size_;
};

}  // namespace

ProjectHistory read_project_history(const ProjectHistoryRequest& request, Surroundings& surroundings) {
  return Reader(request, surroundings).read();
}

}  // namespace veneer::app
