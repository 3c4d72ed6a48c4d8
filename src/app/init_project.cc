#include "app/init_project.hh"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "app/docker_project.hh"
#include "app/past_lock.hh"
#include "app/project_files.hh"
#include "app/project_history.hh"
#include "app/selection_request.hh"
#include "app/start_command.hh"
#include "build/image_builder.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/process.hh"
#include "foundation/text.hh"
#include "image/cache/layer_cache.hh"
#include "image/reference.hh"
#include "python/lock/read_lock.hh"
#include "python/lock/select.hh"
#include "python/name.hh"
#include "python/project/git_checkout.hh"
#include "replay/replay.hh"
#include "start/dockerfile_choice.hh"

namespace veneer::app {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t largest_generated = 16 << 20;
constexpr std::size_t layers_of_replay = 60;
constexpr std::size_t most_deploys = 10;  // in the page's table

/// Programs of every Debian base that scripts and health checks call.
constexpr std::array<std::string_view, 43> base_programs = {
    "sh",   "bash",   "dash",  "env",   "test",    "[",    "true",    "false",   "sleep",   "cat",   "echo",
    "ls",   "mkdir",  "chown", "chmod", "touch",   "cp",   "mv",      "rm",      "ln",      "date",  "id",
    "kill", "printf", "sed",   "grep",  "awk",     "find", "sort",    "head",    "tail",    "tr",    "cut",
    "tee",  "wc",     "xargs", "stat",  "timeout", "su",   "runuser", "setpriv", "python3", "python"};

class Init {
 public:
  Init(const InitRequest& request, Surroundings& surroundings)
      : request_(request),
        surroundings_(surroundings),
        project_(python::read_project(surroundings.current_folder())),
        git_(checkouts_.find(project_.folder)) {}

  InitPlan plan() {
    plan_.pyproject = real_path(project_.folder / "pyproject.toml");
    plan_.pyproject_before = read_text_file(plan_.pyproject, largest_generated);
    std::vector<setup::Setting> settings = options();
    read_inputs();
    read_compose();
    of_dockerfile(settings);
    choose_name(settings);
    plan_.edited = setup::add_settings(plan_.pyproject_before, settings);
    facts_.is_workspace_member = lock_.parent_path() != project_.folder;
    facts_.takes_version_from_git = !project_.version_plugin.empty();
    if (is_for_docker_) {
      refuse_weekly();
      of_docker();
      return std::move(plan_);
    }
    past_deploys();
    add(project_.folder, setup::page(facts_));
    if (makes_makefile_) add(project_.folder, setup::makefile(facts_));
    if (makes_workflow_) of_workflow(setup::workflow(facts_));
    return std::move(plan_);
  }

 private:
  void note(std::string text) { plan_.notes.push_back(std::move(text)); }

  // What was asked for, and what the project says.

  /// Nothing to write where the default is meant.
  template <typename Type>
  Type option(const char* key, const char* flag, const std::optional<Type>& asked, Type said, Value value,
              std::vector<setup::Setting>& settings) {
    if (!asked || *asked == said) return said;
    if (project_.init.given.contains(key)) {
      throw Error(ErrorKind::refused, fmt::format("{} is not what {} of [tool.veneer.init] says", flag, key),
                  fmt::format("change {} in pyproject.toml", key));
    }
    settings.push_back({"tool.veneer.init", key, std::move(value), "so that veneer init need not be told again"});
    return *asked;
  }

  std::vector<setup::Setting> options() {
    using setup::Rebuild;
    std::vector<setup::Setting> settings;
    const Rebuild said = project_.init.weekly ? Rebuild::weekly : Rebuild::stale;
    facts_.rebuild = option("rebuild", "--rebuild", request_.rebuild, said,
                            request_.rebuild == Rebuild::weekly ? "weekly" : "stale", settings);
    makes_workflow_ = option("ci", "--no-ci", request_.makes_workflow, project_.init.makes_workflow, false, settings);
    makes_makefile_ =
        option("make", "--no-make", request_.makes_makefile, project_.init.makes_makefile, false, settings);
    is_for_docker_ = option("docker", "--docker", request_.is_for_docker, project_.init.is_for_docker, true, settings);
    return settings;
  }

  /// Its base stands on an archive and a uv that stay what they are until somebody moves them.
  void refuse_weekly() const {
    if (facts_.rebuild != setup::Rebuild::weekly) return;
    throw Error(
        ErrorKind::refused, "no job of the workflow can renew the base of Docker mode each week",
        "leave out --rebuild (rebuild of [tool.veneer.init]); snapshot of [tool.veneer.system] moves the base, and "
        "veneer base status --docker says when it is stale");
  }

  // What the project is.

  void read_inputs() {
    facts_.name = project_.name;
    if (git_) facts_.folder = git_->subfolder.generic_string();
    lock_ = python::find_lock(project_.folder);
    const auto lock =
        python::read_lock(lock_, [&](const std::string& name) { return surroundings_.environment(name); });
    inputs_.project = project_;
    if (!lock->members().empty()) inputs_.workspace = lock_.parent_path();
    inputs_.files = list_files(project_, git_);
    choose_files(project_, git_, IgnoreFile(project_.folder, ignore_files_of(inputs_)), inputs_.files);
    python::SelectRequest selection{
        .target = parse_target(usual_python(project_.requires_python), "linux/amd64", "glibc-2.36"),
        .project = project_.name};
    selection.options.extras = project_.extras;
    selection.options.groups = project_.groups;
    inputs_.selection = python::select(*lock, selection);
    inputs_.target = selection.target;
    inputs_.target.machine.clear();  // there is no base yet whose Python could be run
  }

  void read_compose() {
    compose_ = start::choose_compose(files_to_read(inputs_));
    facts_.compose_file = compose_.file;
    if (!compose_.trouble.empty()) note(compose_.trouble);
  }

  // The Dockerfile.

  void of_dockerfile(std::vector<setup::Setting>& settings) {
    const std::string name = dockerfile_of(inputs_);
    const auto text = name.empty() ? std::nullopt : files_to_read(inputs_).read(name);
    if (!text) {
      say_start();
      return;
    }
    std::vector<owners::Dockerfile> files;
    try {
      files.push_back(owners::parse_dockerfile(*text, name));
      target_ = target_in(files[0]);
      const start::Inputs inputs = start_inputs();
      if (const std::string base = setup::base_dockerfile_of(inputs, files[0], target_); !base.empty())
        files.insert(files.begin(), owners::parse_dockerfile(*inputs.read(base), base));
    } catch (const Error& error) {
      note(fmt::format("{} is not read: {}", printable(name), error.what()));
      return;
    }
    plan_.dockerfile = name;
    packages_ = setup::choose_packages(start_inputs(), files, target_);
    start::Taken base;
    if (files.size() > 1) base = taken_of_base(files);
    start::Decision decision = decide();
    own_files(decision);
    const bool python_is_chosen = !project_.python.empty() || fs::exists(project_.folder / ".python-version");
    setup::FromDockerfile converted =
        setup::convert(start_inputs(), files, target_, decision, base, packages_, python_is_chosen);
    settings.insert(settings.end(), converted.settings.begin(), converted.settings.end());
    plan_.lines = std::move(converted.lines);
    for (const std::string& said : decision.notes) note(said);
    say(decision);
  }

  std::string target_in(const owners::Dockerfile& file) const {
    const std::string target = compose_.services.size() == 1 ? compose_.services[0].target : "";
    return file.find(target) == nullptr ? "" : target;
  }

  start::Inputs start_inputs() const {
    start::Inputs inputs = files_to_read(inputs_);
    inputs.is_executable = [folder = project_.folder](const std::string& name) {
      struct stat status {};
      return ::stat((folder / name).c_str(), &status) == 0 && (status.st_mode & 0100) != 0;
    };
    for (const python::SelectedPackage& package : inputs_.selection.packages) {
      if (!package.is_project) inputs.distributions.insert(package.name);
    }
    inputs.has_program = [this](const std::string& name) { return has_program(name); };
    inputs.parse = [](const std::vector<std::string>&) { return std::nullopt; };
    return inputs;
  }

  /// As far as names tell: there is no base yet to look into.
  bool has_program(const std::string& path) const {
    const std::string name = path.substr(path.rfind('/') + 1);
    if (std::find(base_programs.begin(), base_programs.end(), name) != base_programs.end()) return true;
    for (const auto& package : packages_.kept) {
      if (package.value == name) return true;
    }
    const std::string distribution = name == "django-admin" ? "django" : python::normalised_name(name);
    return std::any_of(inputs_.selection.packages.begin(), inputs_.selection.packages.end(),
                       [&](const python::SelectedPackage& package) { return package.name == distribution; }) ||
           std::find(project_.scripts.begin(), project_.scripts.end(), name) != project_.scripts.end();
  }

  /// What the image below has counts for the one above, where that says nothing else.
  start::Taken taken_of_base(const std::vector<owners::Dockerfile>& files) {
    start::Taken base = start::taken_from(start_inputs(), files[0], "", {});
    const owners::StageFacts above = owners::evaluate(files[1], target_);
    python::ImageOptions& image = inputs_.project.image;
    if (base.workdir && !image.given.contains("workdir")) image.workdir = *base.workdir;
    for (const auto& [name, value] : base.environment) {
      if (!above.environment.contains(name)) image.environment.emplace(name, value);
    }
    return base;
  }

  start::Decision decide() {
    const image::LayerCache cache(surroundings_.cache_folder(), [](const fs::path&, const std::string&) {});
    const BuildRequest request;
    return choose_start({inputs_, request, cache, [this](const std::string& name) { return has_program(name); }},
                        surroundings_);
  }

  /// `files` as [tool.veneer.image] has them: none where they would be what is there without; each place once.
  void own_files(start::Decision& decision) const {
    std::vector<python::FileRule>& files = decision.taken.files;
    const bool is_usual = files.size() == 1 && files[0].from == "." && !project_.is_package &&
                          files[0].to == inputs_.project.image.workdir;
    if (is_usual || (files.empty() && !decision.needs_files)) {
      files.clear();
      return;
    }
    files.clear();
    for (const python::FileRule& rule : inputs_.project.image.files) {
      std::erase_if(files, [&](const python::FileRule& other) { return other.to == rule.to; });
      files.push_back(rule);
    }
  }

  void say_start() {
    if (!project_.image.cmd.empty() || !project_.image.entrypoint.empty()) return;
    say(decide());
  }

  void say(const start::Decision& decision) {
    if (decision.start) {
      note("starts: " + start_text(*decision.start));
      return;
    }
    std::string lines;
    for (const start::Candidate& candidate : decision.candidates)
      lines += fmt::format("\n  {}    # {}", start::line_of(candidate.words), candidate.why);
    note("nothing says what a container starts; say it in [tool.veneer.image]:" +
         (lines.empty() ? "\n  cmd = [\"python\", \"main.py\"]" : lines));
  }

  // The image's name.

  void choose_name(std::vector<setup::Setting>& settings) {
    facts_.live_tag = "latest";
    std::string why;
    if (!project_.image.name.empty()) {
      facts_.image = project_.image.name;
    } else if (const owners::ServiceImage* image = image_in_compose()) {
      facts_.image = without_tag(image->image);
      why = fmt::format("{}:{}", facts_.compose_file, image->line);
    } else if (const std::string name = name_by_origin(); !name.empty()) {
      facts_.image = name;
      why = "by the address of git's remote origin";
    } else {
      facts_.image = project_.name;
    }
    if (!why.empty()) settings.push_back({"tool.veneer.image", "name", facts_.image, why});
    facts_.has_registry = facts_.image.find('/') != std::string::npos;
    for (const owners::ServiceImage& image : compose_.images) {
      if (without_tag(image.image) != facts_.image) continue;
      facts_.services.push_back(image.service);
      if (image.image.size() > facts_.image.size()) facts_.live_tag = image.image.substr(facts_.image.size() + 1);
    }
    if (facts_.services.empty()) facts_.compose_file.clear();
    if (!facts_.has_registry && makes_workflow_ && git_)
      note("no registry is known, so the workflow pushes nothing: write one into `name` of [tool.veneer.image]");
  }

  static std::string without_tag(const std::string& name) {
    const std::size_t slash = name.rfind('/');
    const std::size_t colon = name.find(':', slash == std::string::npos ? 0 : slash);
    return name.substr(0, colon);
  }

  /// Of a service that is built here, else of one whose image is called as the project is.
  const owners::ServiceImage* image_in_compose() const {
    const owners::ServiceImage* called = nullptr;
    for (const owners::ServiceImage& image : compose_.images) {
      const std::string name = without_tag(image.image);
      if (!is_image_name(name) || image.image.find('@') != std::string::npos) continue;
      if (std::ranges::any_of(compose_.services, [&](const auto& built) { return built.name == image.service; }))
        return &image;
      const std::string last = name.substr(name.rfind('/') + 1);
      if (called == nullptr && python::normalised_name(last) == project_.name) called = &image;
    }
    return called;
  }

  static bool is_image_name(const std::string& name) {
    try {
      return !image::parse_reference(name).digest;
    } catch (const Error&) {
      return false;
    }
  }

  /// "ghcr.io/acme/shop" for git@github.com:Acme/Shop.git; empty for a server of which no registry is known.
  std::string name_by_origin() const {
    if (!git_) return "";
    const CommandResult said =
        run(python::git_command(git_->checkout->outermost().repository, {"config", "--get", "remote.origin.url"}));
    std::string url(trimmed(said.output));
    if (said.exit_code != 0) return "";
    if (const std::size_t scheme = url.find("://"); scheme != std::string::npos) url.erase(0, scheme + 3);
    if (const std::size_t user = url.find('@'); user != std::string::npos) url.erase(0, user + 1);
    if (url.ends_with('/')) url.pop_back();
    if (url.ends_with(".git")) url.resize(url.size() - 4);
    const std::size_t end = url.find_first_of(":/");
    if (end == std::string::npos) return "";
    const std::string host = url.substr(0, end);
    const std::string path = lower(url.substr(end + 1));
    const std::string registry = host == "github.com" ? "ghcr.io" : host == "gitlab.com" ? "registry.gitlab.com" : "";
    if (registry.empty() || path.find('/') == std::string::npos) return "";
    const std::string owner = path.substr(0, path.rfind('/'));
    // A repository may have several projects.
    const std::string name = fmt::format("{}/{}", registry,
                                         facts_.folder.empty()   ? path
                                         : registry == "ghcr.io" ? owner + "/" + project_.name
                                                                 : path + "/" + project_.name);
    return is_image_name(name) ? name : "";
  }

  // What deploys cost here.

  void past_deploys() {
    if (!git_) {
      note("the project is in no git repository: there is no workflow, and no table of what deploys cost");
      return;
    }
    ProjectHistoryRequest history;
    history.events = DeployEvents::tags;
    if (request_.purpose == InitPurpose::check) {
      const auto page = read_text_file_if_exists(project_.folder / setup::page_name, largest_generated);
      history.until = page ? setup::last_deploy_in(*page) : "";
      if (history.until.empty()) return;
    }
    try {
      const ProjectHistory read = read_project_history(history, surroundings_);
      const replay::Costs costs = replay::replay(read.history, layers_of_replay);
      std::vector<std::string> names;  // of those that have a lock, as in `brought`
      for (std::size_t i = 0; i < read.history.deploys.size(); ++i) {
        if (read.history.deploys[i].set) names.push_back(read.names.at(i));
      }
      for (std::size_t i = 1; i < costs.brought.size(); ++i) {
        const replay::LayoutBytes& bytes = costs.brought[i];
        facts_.deploys.push_back(
            {names.at(i), bytes.one_layer_always, bytes.seed_base_image, bytes.veneer_blobs, bytes.veneer_prefix});
      }
      if (facts_.deploys.size() > most_deploys)
        facts_.deploys.erase(facts_.deploys.begin(), facts_.deploys.end() - most_deploys);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::not_found) throw;
    }
    if (facts_.deploys.empty())
      note("git has less than two tags with a lock, so the page has no table of what deploys cost");
  }

  // The files.

  void of_workflow(setup::GeneratedFile file) {
    if (!git_) return;
    if (fs::exists(git_->checkout->root() / ".gitlab-ci.yml")) {
      note(
          "the repository is built by GitLab, so there is no workflow for GitHub; docs/deploying.md of veneer has the "
          "lines");
      return;
    }
    add(git_->checkout->root(), std::move(file));
  }

  /// Of the project as pyproject.toml will say it: a Dockerfile of theirs makes room for the one that is generated.
  void of_docker() {
    BuildRequest request;
    request.project = project_.folder;
    const python::Project project = python::parse_project(plan_.edited.text, project_.folder);
    for (setup::GeneratedFile& file : docker_files(read_docker_project(request, surroundings_, &project))) {
      if (file.name == setup::makefile_name && !makes_makefile_) continue;
      const bool is_ignore_file = file.name == setup::docker_ignore_name;
      add(project_.folder, std::move(file));
      const InitFile& added = plan_.files.back();
      if (added.comparison.state != setup::FileState::theirs) continue;
      if (is_ignore_file) {  // as good as ours
        plan_.files.pop_back();
      } else {
        note(fmt::format(
            "{} has the place of one that docker build needs: git mv it, and run veneer init --docker again",
            added.shown));
      }
    }
    past_deploys();
    add(project_.folder, setup::docker_page(facts_));
    if (makes_workflow_ && makes_makefile_) of_workflow(setup::docker_workflow(facts_));
  }

  void add(const fs::path& folder, setup::GeneratedFile file) {
    InitFile added;
    added.path = folder / file.name;
    added.shown = file.name;
    added.on_disk = read_text_file_if_exists(added.path, largest_generated);
    added.text = setup::text_of(file, VENEER_VERSION);
    added.comparison = setup::compare(file, VENEER_VERSION, added.on_disk);
    added.file = std::move(file);
    plan_.files.push_back(std::move(added));
  }

  const InitRequest& request_;
  Surroundings& surroundings_;
  python::Project project_;
  python::GitCheckouts checkouts_;
  std::optional<python::GitFolder> git_;
  build::BuildInputs inputs_;
  fs::path lock_;
  start::ComposeChoice compose_;
  std::string target_;
  setup::PackageChoice packages_;
  setup::ProjectFacts facts_;
  bool makes_workflow_ = true;
  bool makes_makefile_ = true;
  bool is_for_docker_ = false;
  InitPlan plan_;
};

}  // namespace

bool InitPlan::is_stale() const {
  return edited.text != pyproject_before ||
         std::any_of(files.begin(), files.end(), [](const InitFile& file) { return file.comparison.is_stale; });
}

InitPlan plan_init(const InitRequest& request, Surroundings& surroundings) {
  return Init(request, surroundings).plan();
}

void carry_out(const InitPlan& plan) {
  for (const InitFile& file : plan.files) {
    if (!file.is_to_be_written()) continue;
    make_folders(file.path.parent_path());
    write_text_file(file.path, file.text);
  }
  if (plan.edited.text == plan.pyproject_before) return;
  struct stat status {};
  const bool is_known = ::stat(plan.pyproject.c_str(), &status) == 0;
  write_text_file(plan.pyproject, plan.edited.text, is_known ? status.st_mode & 07777 : 0644);
}

}  // namespace veneer::app
