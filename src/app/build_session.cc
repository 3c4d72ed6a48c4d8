#include "app/build_session.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include "app/dockerfile_extras.hh"
#include "app/index_settings.hh"
#include "app/lock_age.hh"
#include "app/locked_project.hh"
#include "app/own_extensions.hh"
#include "app/project_base.hh"
#include "app/project_files.hh"
#include "app/selection_request.hh"
#include "app/start_command.hh"
#include "check/check_image.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/parallel.hh"
#include "foundation/process.hh"
#include "foundation/sandbox.hh"
#include "python/name.hh"
#include "python/project/source_url.hh"
#include "python/supply/index_files.hh"

namespace veneer::app {

namespace fs = std::filesystem;

namespace {

/// Without a path when there is none: a project of wheels alone needs no uv.
python::UvProgram find_uv_program(Surroundings& surroundings) {
  const auto path = find_program("uv", surroundings.environment("PATH").value_or(""));
  return path ? python::find_uv(*path) : python::UvProgram();
}

}  // namespace

BuildSession::BuildSession(const BuildRequest& request, Surroundings& surroundings) {
  Messages& messages = surroundings.messages();
  const auto progress = [&messages](const std::string& text) { messages.progress(text); };
  LockedProject found = read_locked_project(request, surroundings);
  folder_ = std::move(found.folder);
  lock_path_ = std::move(found.lock_path);
  lock_ = std::move(found.lock);
  inputs_.project = std::move(found.project);
  if (!lock_->members().empty()) inputs_.workspace = lock_path_.parent_path();
  cache_ = std::make_shared<image::LayerCache>(
      surroundings.cache_folder(), [&messages](const fs::path& path, const std::string& why) {
        messages.warning(fmt::format("{} is damaged and made again: {}", printable(path.native()), why));
      });
  read_git(surroundings);
  read_files();
  take_dockerfile_extras(inputs_, messages);
  build::fill_defaults(inputs_);
  uv_ = find_uv_program(surroundings);
  for (const std::string& name : inputs_.project.build.environment) {
    if (const auto value = surroundings.environment(name)) uv_.environment[name] = *value;
  }
  ProjectBase base({inputs_, request, *lock_, cache_, uv_, folder_, surroundings});
  base.read(select_request(request));
  read_selection(request);
  if (request.stale_locks == StaleLocks::refused) {
    refuse_stale_selection(*lock_, inputs_, select_request(request).options.extras);
  }
  if (!uv_.path.empty()) {
    workshop_ = base.workshop();
    uv_.workshop = workshop_;
    uv_.say = [&messages](const std::string& text) { messages.note(text); };
  }

  net::ClientOptions client_options;
  client_options.user_agent = "veneer/" VENEER_VERSION;
  if (const auto bundle = surroundings.environment("SSL_CERT_FILE")) client_options.ca_bundle = *bundle;
  if (const auto netrc = surroundings.environment("NETRC")) {
    client_options.netrc = *netrc;
  } else if (const auto home = surroundings.environment("HOME"); home && fs::exists(fs::path(*home) / ".netrc")) {
    client_options.netrc = fs::path(*home) / ".netrc";
  }
  client_ = std::make_unique<net::Client>(client_options);
  downloads_ = std::make_unique<net::Downloads>(surroundings.cache_folder(), *client_, cache_->files());
  built_wheels_ = std::make_unique<python::BuiltWheels>(surroundings.cache_folder(), cache_->files());

  python::SupplyOptions supply;
  supply.lock_folder = lock_path_.parent_path();
  supply.build_constraints = inputs_.project.build_constraints;
  supply.source_builds = request.source_builds;
  supply.strictness = request.strictness;
  supply.workers = request.workers;
  std::vector<python::PackageIndex> indexes = inputs_.project.indexes;
  if (supply.lock_folder != inputs_.project.folder) {
    for (python::PackageIndex& index : python::read_indexes(supply.lock_folder)) indexes.push_back(std::move(index));
  }
  for (python::PackageIndex& index : indexes_of(lock_->index_options())) indexes.push_back(std::move(index));
  supply.credentials = index_credentials(std::move(indexes), surroundings);
  supply.progress = progress;
  supply_ = std::make_unique<python::WheelSupply>(*downloads_, *built_wheels_, checkouts_, uv_, inputs_.target,
                                                  std::move(supply));
  previous_ = find_previous(inputs_, request, checkouts_.find(inputs_.project.folder), folder_, surroundings);
  inputs_.previous = previous_.previous;
  inputs_.fixed_plan = request.plan;
  base.add_system_packages(*supply_);
  pins_ = base.settle();
  make_byte_compiler(request, surroundings);
  choose_start(request, surroundings, progress);
  inputs_.on_unpacked = [&messages](const fs::path& root, const Sandbox& sandbox, const image::RunConfig& config) {
    messages.progress("importing what the image starts");
    for (const check::Finding& finding : check::check_start(root, sandbox, config)) messages.warning(finding.message);
  };
  for (std::string& finding : secret_findings(inputs_)) inputs_.findings.push_back(std::move(finding));
  for (std::string& finding : extension_findings(inputs_, dockerfile_of(inputs_))) {
    inputs_.findings.push_back(std::move(finding));
  }
  builder_ = std::make_unique<build::ImageBuilder>(inputs_, *supply_, *cache_, request.workers, progress);
  builder_->prepare();  // what cannot be built at all is said first
  if (!start_.start) refuse_without_start(inputs_, start_, surroundings);
  plan_ = builder_->plan();
  if (workshop_) pins_->take_build_packages(workshop_->taken(), messages);
  if (const auto git = checkouts_.find(inputs_.project.folder)) add_version_findings(inputs_, *git, plan_);
  messages.clear_progress();
  if (const std::string left_out = left_out_text(inputs_.files); !left_out.empty()) {
    messages.note("left out of the project's folder: " + left_out);
  }
  if (inputs_.project.image.tag.empty() && !plan_.version.empty() && plan_.version != plan_.image_tag) {
    messages.note(fmt::format("no tag can hold the version {}; it is {}", plan_.version, plan_.image_tag));
  }
}

/// Which programs there are is only asked where something names one.
void BuildSession::choose_start(const BuildRequest& request, Surroundings& surroundings,
                                const std::function<void(const std::string&)>& progress) {
  std::unique_ptr<build::ImageBuilder> programs;
  const auto has_program = [&](const std::string& name) {
    if (!programs) {
      programs = std::make_unique<build::ImageBuilder>(inputs_, *supply_, *cache_, request.workers, progress);
    }
    return programs->has_program(name);
  };
  start_ = app::choose_start({inputs_, request, *cache_, has_program}, surroundings);
}

void BuildSession::read_git(Surroundings& surroundings) {
  const python::Project& project = inputs_.project;
  const auto git = checkouts_.find(project.folder);
  if (git) {
    const std::string prefix = git->prefix();
    for (const std::string& name : git->checkout->files.absent_submodules) {
      if (!name.starts_with(prefix)) continue;
      inputs_.findings.push_back(
          fmt::format("the submodule {} is not checked out, so its files are not in the image", printable(name)));
    }
    const python::GitState& state = git->checkout->outermost();
    if (git->checkout->is_clean()) inputs_.revision = state.commit;
    inputs_.source = python::source_of_remote(python::remote_of(state.repository));
    inputs_.created = state.commit_time;
    if (!state.commit.empty()) commit_ = state.commit.substr(0, 12) + (git->checkout->is_clean() ? "" : "-dirty");
  }
  if (inputs_.created > 0) return;
  if (const auto epoch = surroundings.environment("SOURCE_DATE_EPOCH")) {
    const auto [end, error] = std::from_chars(epoch->data(), epoch->data() + epoch->size(), inputs_.created);
    if (error != std::errc() || end != epoch->data() + epoch->size() || inputs_.created <= 0) {
      throw Error(ErrorKind::usage, fmt::format("SOURCE_DATE_EPOCH is '{}', which is no time", printable(*epoch)));
    }
    return;
  }
  inputs_.created = surroundings.seconds_since_1970();
  surroundings.messages().warning(
      "the project has no git commit, so the image's creation time is now; two builds will differ in it");
}

/// Which files are the application's.
void BuildSession::read_files() {
  const python::Project& project = inputs_.project;
  const auto git = checkouts_.find(project.folder);
  inputs_.files = list_files(project, git);
  choose_files(project, git, IgnoreFile(project.folder, ignore_files_of(inputs_)), inputs_.files);
}

void BuildSession::make_byte_compiler(const BuildRequest& request, Surroundings& surroundings) {
  const bool is_wanted = request.byte_code == ByteCode::as_the_project_says ? inputs_.project.byte_code
                                                                            : request.byte_code == ByteCode::made;
  if (!is_wanted) return;
  std::optional<Sandbox> sandbox;
  if (inputs_.target.machine == native_machine()) sandbox = find_sandbox();
  if (!sandbox) {
    // An image without it would be another one than the same commit gives elsewhere.
    throw Error(
        ErrorKind::failed,
        fmt::format("byte code is asked for, but {} of the base cannot be run here", inputs_.target.interpreter),
        "it needs a machine of the image's kind and root or user namespaces; or build with --no-byte-code");
  }
  byte_compiler_ = std::make_unique<build::ByteCompiler>(inputs_.base, inputs_.target, std::move(*sandbox), *cache_,
                                                         surroundings.cache_folder());
  inputs_.byte_compiler = byte_compiler_.get();
}

python::SelectRequest BuildSession::select_request(const BuildRequest& request) const {
  python::SelectRequest selection = selection_of(inputs_.project, request);
  selection.target = inputs_.target;
  return selection;
}

void BuildSession::read_selection(const BuildRequest& request) {
  const python::Selection selection = python::select(*lock_, select_request(request));
  inputs_.selection = in_context([&] { return printable(lock_path_.native()); },
                                 [&] {
                                   return python::find_releases(selection, lock_->index_options(), inputs_.target, uv_,
                                                                lock_path_.parent_path());
                                 });
}

}  // namespace veneer::app
