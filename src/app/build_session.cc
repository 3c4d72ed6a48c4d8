#include "app/build_session.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include "app/index_settings.hh"
#include "app/open_image.hh"
#include "app/selection_request.hh"
#include "base/debian.hh"
#include "base/image_base.hh"
#include "base/machine.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/parallel.hh"
#include "foundation/process.hh"
#include "foundation/sandbox.hh"
#include "image/places/image_names.hh"
#include "image/platform.hh"
#include "image/run_config.hh"
#include "python/name.hh"
#include "python/project/base_target.hh"
#include "python/supply/index_files.hh"

namespace veneer::app {

namespace fs = std::filesystem;

namespace {

std::string native_architecture() {
#if defined(__x86_64__)
  return "amd64";
#elif defined(__aarch64__)
  return "arm64";
#else
  throw Error(ErrorKind::refused, "veneer does not know what this machine is called", "name a base image");
#endif
}

/// Whether this machine's kernel runs programs of the Debian architecture, by itself or by an emulator.
bool runs_programs_of(const std::string& architecture) {
  if (architecture == native_architecture()) return true;
  const std::string machine = machine_of_platform("linux/" + architecture + (architecture == "arm" ? "/v7" : ""));
  const std::string emulator = machine == "armv7l" ? "arm" : machine == "i686" ? "i386" : machine;
  return fs::exists("/proc/sys/fs/binfmt_misc/qemu-" + emulator);
}

/// Without a path when there is none: a project of wheels alone needs no uv.
python::UvProgram find_uv_program(Surroundings& surroundings) {
  const auto path = find_program("uv", surroundings.environment("PATH").value_or(""));
  return path ? python::find_uv(*path) : python::UvProgram();
}

/// Nothing for the root of a workspace that is no project, when one of its members is named.
std::optional<python::Project> read_own_project(const fs::path& folder, const BuildRequest& request) {
  try {
    return python::read_project(folder);
  } catch (const Error& error) {
    if (!request.package || error.kind() != ErrorKind::refused) throw;
    return std::nullopt;
  }
}

}  // namespace

BuildSession::BuildSession(const BuildRequest& request, Surroundings& surroundings) {
  Messages& messages = surroundings.messages();
  const auto progress = [&messages](const std::string& text) { messages.progress(text); };
  const fs::path folder = real_path(request.project);
  folder_ = folder;
  const std::optional<python::Project> own = read_own_project(folder, request);
  read_lock(request, surroundings);
  choose_project(own, request);
  if (request.base) inputs_.project.base = request.base;
  if (request.python) inputs_.project.python = *request.python;
  if (request.dependency_layers) inputs_.project.dependency_layers = request.dependency_layers;
  cache_ = std::make_shared<image::LayerCache>(
      surroundings.cache_folder(), [&messages](const fs::path& path, const std::string& why) {
        messages.warning(fmt::format("{} is damaged and made again: {}", printable(path.native()), why));
      });
  read_git(surroundings);
  build::fill_defaults(inputs_);
  read_base(request.platform.value_or(image::Platform{"linux", native_architecture(), ""}), surroundings);
  uv_ = find_uv_program(surroundings);
  read_selection(request);
  make_byte_compiler(request, surroundings);

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
  builder_ = std::make_unique<build::ImageBuilder>(inputs_, *supply_, *cache_, request.workers, progress);
  plan_ = builder_->plan();
  messages.clear_progress();
  if (inputs_.project.image.tag.empty() && !plan_.version.empty() && plan_.version != plan_.image_tag) {
    messages.note(fmt::format("no tag can hold the version {}; it is {}", plan_.version, plan_.image_tag));
  }
}

void BuildSession::read_lock(const BuildRequest& request, const Surroundings& surroundings) {
  const auto& named = request.lock;
  // Paths in a lock start where it lies, whatever it is a link to.
  lock_path_ = named ? real_path(fs::absolute(*named).parent_path()) / named->filename() : python::find_lock(folder_);
  lock_ = python::read_lock(lock_path_, [&](const std::string& name) { return surroundings.environment(name); });
}

/// The project itself, or the member of its workspace that --package or [tool.veneer] package names; a member that
/// names no base stands on the same as the project of the folder.
void BuildSession::choose_project(const std::optional<python::Project>& own, const BuildRequest& request) {
  const std::string package = request.package ? *request.package : own->package;
  if (own && (package.empty() || package == own->name)) {
    inputs_.project = *own;
    return;
  }
  inputs_.project = python::read_project(lock_path_.parent_path() / lock_->member_folder(package));
  if (inputs_.project.base || !own || !own->base) return;
  inputs_.project.base = own->base;
  inputs_.project.system = own->system;
  inputs_.project.base->folder = own->folder;
}

void BuildSession::read_git(Surroundings& surroundings) {
  const python::Project& project = inputs_.project;
  const auto git = checkouts_.find(project.folder);
  if (git) {
    inputs_.folder_rule = build::FolderRule::listed_by_git;
    const std::string prefix = git->prefix();
    const python::GitFiles& files = git->checkout->files;
    for (const auto* names : {&files.tracked, &files.untracked}) {
      for (const std::string& name : *names) {
        if (name.starts_with(prefix)) inputs_.listed_files.push_back(name.substr(prefix.size()));
      }
    }
    std::sort(inputs_.listed_files.begin(), inputs_.listed_files.end());
    for (const std::string& name : files.absent_submodules) {
      if (!name.starts_with(prefix)) continue;
      inputs_.findings.push_back(
          fmt::format("the submodule {} is not checked out, so its files are not in the image", printable(name)));
    }
    const python::GitState& state = git->checkout->outermost();
    if (git->checkout->is_clean()) inputs_.revision = state.commit;
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

void BuildSession::read_base(const image::Platform& platform, Surroundings& surroundings) {
  python::Project& project = inputs_.project;
  if (!project.base)
    project.base = python::parse_base_choice("debian:" + python::default_debian_suite(project.requires_python));
  const python::BaseChoice& choice = *project.base;
  if (!choice.suite.empty()) {
    base::DebianRequest request;
    request.archive = {choice.suite, project.system.snapshot, project.system.mirror};
    request.packages = project.system.packages;
    request.architecture = platform.architecture;
    request.temporary = surroundings.cache_folder() / "tmp";
    fs::create_directories(request.temporary);
    Messages& messages = surroundings.messages();
    if (!base::has_debian_base(request, *cache_)) {
      if (!runs_programs_of(request.architecture)) {
        throw Error(
            ErrorKind::refused,
            fmt::format("a Debian base for {} cannot be made here: its packages run programs of that machine",
                        request.architecture),
            "install qemu-user-static and binfmt-support, or take an image as the base: " + image::base_forms());
      }
      messages.note(fmt::format("making the base {} (once; it is kept)", choice.text));
    }
    inputs_.base =
        base::make_debian_base(request, cache_, [&](const std::string& line) { messages.progress("base: " + line); });
    messages.clear_progress();
  } else {
    if (!project.system.packages.empty()) {
      throw Error(ErrorKind::refused,
                  fmt::format("packages can be added to a debian: base only, not to {}", printable(choice.text)),
                  "remove [tool.veneer.system] packages, or use base = \"debian:bookworm\"");
    }
    surroundings.messages().progress("reading the base");
    inputs_.base = read_image_base(choice, platform, surroundings);
    surroundings.messages().clear_progress();
  }
  const python::TargetChoice chosen = python::choose_target(inputs_.base.tree, image::search_path(inputs_.base.config),
                                                            project.requires_python, project.python);
  inputs_.target = chosen.chosen.target;
  base::check_machine(inputs_.base.config.platform, inputs_.target.machine, inputs_.target.interpreter);
  if (!chosen.others.empty()) {
    surroundings.messages().note(
        fmt::format("the base has several interpreters; {} is taken", inputs_.target.interpreter));
  }
}

base::Base BuildSession::read_image_base(const python::BaseChoice& choice, const image::Platform& platform,
                                         Surroundings& surroundings) const {
  return in_context(
      [&] { return "reading the base " + printable(choice.text); },
      [&] {
        const auto place =
            image::read_base_name(choice.text, choice.folder.empty() ? inputs_.project.folder : choice.folder);
        return base::read_image_base(*place, platform, place_context(folder_, surroundings), cache_.get());
      });
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

void BuildSession::read_selection(const BuildRequest& request) {
  const python::Project& project = inputs_.project;
  python::SelectOptions options;
  options.extras = project.extras;
  options.groups = project.groups;
  options.extras.insert(options.extras.end(), request.extras.begin(), request.extras.end());
  options.groups.insert(options.groups.end(), request.groups.begin(), request.groups.end());
  const python::Selection selection =
      python::select(*lock_, {inputs_.target, options, python::DefaultGroups::left_out, project.name});
  inputs_.selection = in_context([&] { return printable(lock_path_.native()); },
                                 [&] {
                                   return python::find_releases(selection, lock_->index_options(), inputs_.target, uv_,
                                                                lock_path_.parent_path());
                                 });
}

}  // namespace veneer::app
