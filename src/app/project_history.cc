#include "app/project_history.hh"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>

#include "app/past_application.hh"
#include "archive/content.hh"
#include "build/placement.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/parallel.hh"
#include "foundation/text.hh"
#include "python/lock/uv_lock_package.hh"
#include "python/project/git.hh"
#include "python/project/git_tree.hh"
#include "python/project/project.hh"
#include "tree/write_layer.hh"

namespace veneer::app {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t least_tags = 2;
constexpr std::uint64_t largest_lock = 64 << 20;
constexpr std::uint64_t largest_wheel = std::uint64_t{4} << 30;

/// What a commit has of the project: object names; empty where a file is not there.
struct Files {
  std::string lock;
  std::string pyproject;
  std::string dockerfile;
  std::string folder;  // the tree
};

class Reader {
 public:
  Reader(const ProjectHistoryRequest& request, Surroundings& surroundings)
      : request_(request),
        surroundings_(surroundings),
        project_(python::read_project(real_path(request.folder.value_or(surroundings.current_folder())))),
        lock_path_(python::find_lock(project_.folder)) {
    const auto repository = python::find_git_repository(project_.folder);
    if (!repository) {
      throw Error(ErrorKind::not_found, fmt::format("{} is in no git repository", printable(project_.folder.native())),
                  "name records of deploys by --records");
    }
    repository_ = *repository;
    find_lock_names();
  }

  ProjectHistory read() {
    ProjectHistory result;
    result.reach = repository_.history;
    std::vector<std::string> commits = events(result);
    std::vector<Files> files = files_of(commits);
    // Tags from before there was a lock tell nothing.
    const auto with_lock = std::ranges::count_if(files, [](const Files& each) { return !each.lock.empty(); });
    if (result.events == DeployEvents::tags && request_.events == DeployEvents::tags_else_commits &&
        static_cast<std::size_t>(with_lock) < least_tags) {
      result.events = DeployEvents::commits;
      commits = commits_of_history(result);
      files = files_of(commits);
    }
    result.history.project = project_.name;
    read_texts(files);
    select_all(files);
    std::size_t number = 0;
    for (const Files& each : files) {
      surroundings_.messages().progress(fmt::format("reading locks: {} of {} deploys", ++number, files.size()));
      replay::Deploy deploy{
          .set = {}, .lock = each.lock, .pyproject = each.pyproject, .dockerfile = each.dockerfile, .application = {}};
      if (!each.lock.empty()) deploy.set = set_of(each, commits[number - 1], result.history);
      result.history.deploys.push_back(std::move(deploy));
    }
    if (sets_.empty()) {
      throw Error(ErrorKind::not_found,
                  fmt::format("no deploy in the history of {} has a lock", printable(project_.name)),
                  repository_.history == python::History::shallow
                      ? "this clone is shallow; fetch the rest: git fetch --unshallow --tags"
                      : "lock the project by 'uv lock' and commit uv.lock");
    }
    result.history.estimated = estimate_sizes(result.history);
    surroundings_.messages().progress("reading the application's files");
    read_applications(files, result.history);
    surroundings_.messages().clear_progress();
    return result;
  }

 private:
  /// Commits, oldest first.
  std::vector<std::string> events(ProjectHistory& result) const {
    std::vector<std::string> commits;
    if (request_.events != DeployEvents::commits) {
      // An annotated tag's own name comes first, that of its commit behind it.
      for (const std::string& line :
           split_words(python::local_git_output(
                           repository_, {"for-each-ref", "--merged=HEAD", "--sort=creatordate",
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
    return commits_of_history(result);
  }

  std::vector<std::string> commits_of_history(ProjectHistory& result) const {
    std::vector<std::string> question = {"log", "--first-parent", "--reverse", "--format=%H", "HEAD", "--"};
    const std::string folder = in_repository(project_.folder);
    question.push_back(folder.empty() ? "." : folder);
    question.insert(question.end(), lock_names_.begin(), lock_names_.end());
    std::vector<std::string> commits = split_words(python::local_git_output(repository_, std::move(question)), "\n");
    result.names.clear();
    for (const std::string& commit : commits) result.names.push_back(commit.substr(0, 12));
    return commits;
  }

  /// As git names a path of the work tree.
  std::string in_repository(const fs::path& path) const {
    const std::string name = path.lexically_relative(repository_.root).generic_string();
    if (name.find('\n') != std::string::npos) throw Error(ErrorKind::refused, "the project's path has a line break");
    return name == "." ? "" : name;
  }

  /// The lock's, and those that it had in former commits. Of a partial clone git cannot tell them.
  void find_lock_names() {
    lock_names_ = {in_repository(lock_path_)};
    std::vector<std::string> words;
    try {
      words = split_words(
          python::local_git_output(repository_, {"log", "--follow", "-z", "--diff-filter=R", "--name-status",
                                                 "--format=", "HEAD", "--", lock_names_.front()}),
          nul);
    } catch (const Error&) {  // reading the locks says what is missing
    }
    // "R097", the name before, the name behind
    for (std::size_t i = 0; i + 2 < words.size(); i += 3) {
      if (words[i + 1].find('\n') == std::string::npos) lock_names_.push_back(words[i + 1]);
    }
  }

  /// One process of git for all of them.
  std::vector<Files> files_of(const std::vector<std::string>& commits) const {
    const std::string folder = in_repository(project_.folder);
    const std::string pyproject = in_repository(project_.folder / "pyproject.toml");
    const std::string dockerfile = in_repository(project_.folder / project_.dockerfile.value_or("Dockerfile"));
    std::vector<std::string> names;
    for (const std::string& commit : commits) {
      for (const std::string& name : {pyproject, dockerfile, folder}) names.push_back(commit + ":" + name);
      for (const std::string& lock : lock_names_) {
        names.push_back(commit + ":" + lock);
        names.push_back(commit + ":" + (fs::path(lock).parent_path() / "pyproject.toml").generic_string());
      }
    }
    const std::vector<std::string> objects = python::find_objects(repository_, names);
    std::vector<Files> files;
    for (auto object = objects.begin(); object != objects.end();) {
      Files each;
      for (std::string* place : {&each.pyproject, &each.dockerfile, &each.folder}) *place = *object++;
      for (std::size_t lock = 0; lock < lock_names_.size(); ++lock, object += 2) {
        if (!each.lock.empty() || object->empty()) continue;
        each.lock = *object;
        if (each.pyproject.empty()) each.pyproject = *(object + 1);
      }
      files.push_back(std::move(each));
    }
    return files;
  }

  /// Those of locks and of pyproject.toml, by one process.
  void read_texts(const std::vector<Files>& files) {
    std::set<std::string> wanted;
    for (const Files& each : files) {
      if (!each.lock.empty()) wanted.insert({each.lock, each.pyproject});
    }
    wanted.erase("");
    const std::vector<std::string> objects(wanted.begin(), wanted.end());
    python::read_objects(repository_, objects, largest_lock,
                         [&](std::size_t place, std::string_view text) { texts_[objects[place]] = text; });
  }

  const std::string& text_of(const std::string& object) const {
    static const std::string none;
    return object.empty() ? none : texts_.at(object);
  }

  void read_applications(const std::vector<Files>& files, replay::History& history) const {
    const ApplicationNames names(project_, lock_path_.parent_path());
    std::vector<std::string> trees;
    for (const Files& each : files) trees.push_back(each.lock.empty() ? "" : each.folder);
    std::map<std::pair<std::string, std::string>, std::size_t> known;  // places of files, by path and content
    std::map<std::vector<std::size_t>, std::size_t> applications;
    python::read_trees(
        repository_, trees, [&](const std::string& path) { return names.has(path); },
        [&](std::size_t place, const std::vector<python::GitFile>& found) {
          if (trees[place].empty()) return;
          std::vector<std::size_t> application;
          for (const python::GitFile& file : found) {
            const auto [at, is_new] = known.try_emplace({file.path, file.object}, history.files.size());
            if (is_new) history.files.push_back({file.path, file.object, 0});
            application.push_back(at->second);
          }
          std::ranges::sort(application);
          const auto [at, is_new] = applications.try_emplace(application, history.applications.size());
          if (is_new) history.applications.push_back(std::move(application));
          history.deploys[place].application = at->second;
        });
    measure(history.files);
  }

  /// What each file takes in a layer, its header with it: of large ones the beginning tells.
  void measure(std::vector<replay::ApplicationFile>& files) const {
    constexpr std::size_t told = 64 * 1024;
    std::map<std::string, std::size_t> place_of;  // in `objects`
    std::vector<std::string> objects;
    for (const replay::ApplicationFile& file : files) {
      if (place_of.try_emplace(file.content, objects.size()).second) objects.push_back(file.content);
    }
    std::vector<std::pair<std::string, std::uint64_t>> beginnings(objects.size());
    python::read_objects(repository_, objects, largest_wheel, [&](std::size_t place, std::string_view content) {
      beginnings[place] = {std::string(content.substr(0, told)), content.size()};
    });
    std::vector<std::uint64_t> sizes(objects.size());
    parallel_for(objects.size(), default_workers(), [&](std::size_t i) {
      const auto& [text, size] = beginnings[i];
      const auto file = tree::make_file(std::make_shared<archive::MemoryContent>(text), 0644, 0, 0, build::fixed_time);
      CountingSink sink;
      tree::write_entries({tree::layer_entry("app/file.py", *file)}, sink);
      sizes[i] = size <= told ? sink.count() : sink.count() * (size / 1024) / (told / 1024);
    });
    for (replay::ApplicationFile& file : files) file.bytes = sizes[place_of.at(file.content)];
  }

  /// Read once for each text of lock and pyproject.toml.
  std::optional<std::size_t> set_of(const Files& files, const std::string& commit, replay::History& history) {
    const auto [known, is_new] = read_.try_emplace({files.lock, files.pyproject});
    if (!is_new) return known->second;
    const Selected& selected = selected_.at({files.lock, files.pyproject});
    if (!selected.selection) {
      surroundings_.messages().warning(
          fmt::format("{} counts as a deploy without a lock: {}", commit.substr(0, 12), selected.error));
      return known->second;
    }
    std::vector<std::size_t> set;
    for (const python::SelectedPackage& package : selected.selection->packages) {
      if (!package.is_project) set.push_back(wheel_of(package, history));
    }
    std::sort(set.begin(), set.end());
    const auto [place, is_other] = sets_.try_emplace(set, history.sets.size());
    if (is_other) history.sets.push_back(set);
    known->second = place->second;
    return known->second;
  }

  /// What a lock installs, or why it cannot be read.
  struct Selected {
    std::optional<python::Selection> selection;
    std::string error;
  };

  /// Each pair of lock and pyproject.toml once, several at a time: reading locks is most of the work.
  void select_all(const std::vector<Files>& files) {
    surroundings_.messages().progress("reading locks");
    for (const Files& each : files) {
      if (!each.lock.empty()) selected_.try_emplace({each.lock, each.pyproject});
    }
    std::vector<decltype(selected_)::value_type*> all;
    for (auto& entry : selected_) all.push_back(&entry);
    parallel_for(all.size(), default_workers(), [&](std::size_t i) {
      try {
        all[i]->second.selection = selection_of(all[i]->first.first, all[i]->first.second);
      } catch (const Error& error) {
        all[i]->second.error = error.what();
      }
    });
  }

  python::Selection selection_of(const std::string& lock, const std::string& pyproject) {
    const PastTexts texts{.lock = text_of(lock),
                          .lock_name = lock_path_.filename().native(),
                          .pyproject = text_of(pyproject),
                          .base_lock = {},
                          .python_version = {}};
    python::SelectRequest selection{.target = past_target(texts, request_.target), .project = project_.name};
    selection.options.extras = together(project_.extras, request_.extras);
    selection.options.groups = together(project_.groups, request_.groups);
    if (!project_.package.empty()) selection.options.packages = {project_.package};
    return python::select(*read_past_lock(texts, surroundings_, &known_packages_), selection);
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
  std::vector<std::string> lock_names_;  // as git names them
  python::KnownPackages known_packages_;
  std::map<std::string, std::string> texts_;                                        // by object
  std::map<std::pair<std::string, std::string>, Selected> selected_;                // by lock and pyproject.toml
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
