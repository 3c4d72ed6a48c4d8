#include "app/build_session.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include "app/base_workshop.hh"
#include "app/image_python.hh"
#include "app/index_settings.hh"
#include "app/open_image.hh"
#include "app/selection_request.hh"
#include "app/start_command.hh"
#include "base/debian.hh"
#include "base/image_base.hh"
#include "base/interpreter.hh"
#include "base/machine.hh"
#include "base/system_packages.hh"
#include "build/system_needs.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/parallel.hh"
#include "foundation/process.hh"
#include "foundation/sandbox.hh"
#include "foundation/units.hh"
#include "image/places/image_names.hh"
#include "image/platform.hh"
#include "python/name.hh"
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

/// Throws Error (refused) where packages cannot be installed into `what`.
void check_runs(const std::string& architecture, std::string_view what) {
  if (runs_programs_of(architecture)) return;
  throw Error(ErrorKind::refused,
              fmt::format("{} for {} cannot be made here: its packages run programs of that machine", what,
                          printable(architecture)),
              "install qemu-user-static and binfmt-support, or take an image as the base: " + image::base_forms());
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
  uv_ = find_uv_program(surroundings);
  for (const std::string& name : inputs_.project.build.environment) {
    if (const auto value = surroundings.environment(name)) uv_.environment[name] = *value;
  }
  read_base(request, surroundings);
  read_selection(request);
  find_workshop(surroundings);

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
  add_system_packages(request, surroundings);
  make_byte_compiler(request, surroundings);
  choose_start(request, surroundings, progress);
  builder_ = std::make_unique<build::ImageBuilder>(inputs_, *supply_, *cache_, request.workers, progress);
  builder_->prepare();  // what cannot be built at all is said first
  if (!start_.start) refuse_without_start(inputs_, start_, surroundings);
  plan_ = builder_->plan();
  messages.clear_progress();
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

/// Where Debian is the base, its release and its Python are chosen here; the files of another base tell what it has.
void BuildSession::read_base(const BuildRequest& request, Surroundings& surroundings) {
  const image::Platform platform = request.platform.value_or(image::Platform{"linux", native_architecture(), ""});
  python::Project& project = inputs_.project;
  Messages& messages = surroundings.messages();
  const PythonInputs question{project,
                              request.python.has_value(),
                              *lock_,
                              select_request(request),
                              python_of_dockerfile(inputs_),
                              machine_of_platform(image::platform_text(platform))};
  python::PythonChoice& python = inputs_.python_choice;
  python = choose_python(question);
  for (const std::string& note : python.notes) messages.note(note);
  if (python.source != python::PythonSource::base) messages.note(python.text());
  if (!project.base) project.base = python::parse_base_choice("debian:" + python.suite);
  std::string wanted = project.python;
  Preference preference;
  if (!project.base->suite.empty()) {
    // Before the base is made, which takes longer: it may not be reachable.
    std::optional<UvInterpreter> of_uv;
    if (python.source == python::PythonSource::uv) {
      of_uv = take_uv_python(python, question.machine, uv_, *cache_, surroundings);
    }
    make_debian_base(platform, surroundings);
    if (of_uv) base::add_interpreter(inputs_.base, of_uv->interpreter, of_uv->layer, *cache_);
    if (python.source != python::PythonSource::base) wanted = of_uv ? of_uv->interpreter.version : python.wanted();
  } else {
    messages.progress("reading the base");
    inputs_.base = read_image_base(*project.base, platform, surroundings);
    messages.clear_progress();
  }
  if (python.source == python::PythonSource::base) preference = python_preference(question);
  const auto preferred = preference.request ? std::optional(preference.request->request) : std::nullopt;
  const python::TargetChoice chosen =
      python::choose_target(interpreters_of(inputs_.base, *cache_), project.requires_python, wanted, preferred);
  inputs_.target = chosen.chosen.target;
  base::check_machine(inputs_.base.config.platform, inputs_.target.machine, inputs_.target.interpreter);
  if (!chosen.others.empty() && !inputs_.base.interpreter) {
    messages.note(fmt::format("the base has several interpreters; {} is taken", inputs_.target.interpreter));
  }
  if (preference.request && python::satisfies(*preferred, inputs_.target.full_version)) {
    python.reason = fmt::format("{} says {}", preference.request->place, printable(preferred->text));
  } else if (preference.request) {
    messages.note(fmt::format("{} says Python {}, but the base has {}", preference.request->place,
                              printable(preferred->text), inputs_.target.full_version));
  } else if (!preference.problem.empty()) {
    messages.note(fmt::format("{}; the base has {}", preference.problem, inputs_.target.full_version));
  }
}

void BuildSession::make_debian_base(const image::Platform& platform, Surroundings& surroundings) {
  const python::Project& project = inputs_.project;
  base::DebianRequest request;
  request.archive = debian_archive(surroundings);
  request.archive.suite = project.base->suite;
  request.architecture = platform.architecture;
  if (inputs_.python_choice.source == python::PythonSource::uv) request.python = base::DebianRequest::Python::left_out;
  request.temporary = surroundings.cache_folder() / "tmp";
  fs::create_directories(request.temporary);
  Messages& messages = surroundings.messages();
  if (!base::has_debian_base(request, *cache_)) {
    check_runs(request.architecture, "a Debian base");
    messages.note(fmt::format("making the base {} (once; it is kept)", project.base->text));
  }
  inputs_.base =
      base::make_debian_base(request, cache_, [&](const std::string& line) { messages.progress("base: " + line); });
  messages.clear_progress();
}

/// Where uv builds what has compiled parts.
void BuildSession::find_workshop(Surroundings& surroundings) {
  if (uv_.path.empty()) return;
  base::PackagesRequest request;
  request.archive = debian_archive(surroundings);
  request.packages = inputs_.project.build.packages;
  request.temporary = surroundings.cache_folder() / "tmp";
  fs::create_directories(request.temporary);
  Messages& messages = surroundings.messages();
  uv_.workshop = BaseWorkshop::find(inputs_.base, inputs_.target, std::move(request), cache_, messages);
  uv_.say = [&messages](const std::string& text) { messages.note(text); };
}

base::DebianArchive BuildSession::debian_archive(const Surroundings& surroundings) const {
  const python::SystemOptions& system = inputs_.project.system;
  base::DebianArchive archive;
  archive.snapshot = system.snapshot;
  archive.mirror = system.mirror;
  archive.options = system.apt_options;
  archive.certificates = surroundings.environment("SSL_CERT_FILE").value_or("");
  return archive;
}

/// What the wheels cannot do without is added; what is missing in the base then is said.
void BuildSession::add_system_packages(const BuildRequest& request, Surroundings& surroundings) {
  std::vector<build::DistributionNeeds> wheels;
  if (inputs_.project.system.automatic) {
    surroundings.messages().progress("looking at what the wheels need");
    wheels = build::needs_of(inputs_.selection, inputs_.target.machine, *supply_, *cache_, request.workers);
    surroundings.messages().clear_progress();
  }
  const bool takes_packages = base::takes_packages(inputs_.base);
  add_packages(takes_packages ? needs_in_base(wheels).needed : std::vector<build::PackageReason>(), surroundings);
  const build::SystemNeeds missing = needs_in_base(wheels);
  for (const std::string& unknown : missing.unknown) {
    inputs_.findings.push_back(unknown + ", which neither the base nor a wheel has");
  }
  if (!takes_packages) {
    for (const build::PackageReason& reason : missing.needed) {
      inputs_.findings.push_back(
          fmt::format("{}, which is in Debian's {}; this base has no apt to add it", reason.why, reason.package));
    }
    return;
  }
  for (const build::PackageReason& reason : missing.proposed) {
    inputs_.findings.push_back(fmt::format(
        "{}, which the base lacks; if it is used, add \"{}\" to packages of [tool.veneer.system], else to exclude",
        reason.why, reason.package));
  }
}

build::SystemNeeds BuildSession::needs_in_base(const std::vector<build::DistributionNeeds>& wheels) const {
  const python::SystemOptions& system = inputs_.project.system;
  return build::system_needs(wheels, inputs_.base.tree, base::debian_suite(inputs_.base), system.packages,
                             system.exclude);
}

/// One layer above the base with what the project names and what is `needed`.
void BuildSession::add_packages(const std::vector<build::PackageReason>& needed, Surroundings& surroundings) {
  base::PackagesRequest wanted;
  wanted.archive = debian_archive(surroundings);
  wanted.packages = inputs_.project.system.packages;
  wanted.temporary = surroundings.cache_folder() / "tmp";
  fs::create_directories(wanted.temporary);
  for (const build::PackageReason& reason : needed) wanted.packages.push_back(reason.package);
  if (wanted.packages.empty()) return;
  inputs_.base.packages = base::read_packages(inputs_.base, *cache_);
  const std::vector<std::string> packages = base::packages_to_add(inputs_.base, wanted);
  if (packages.empty()) return;
  Messages& messages = surroundings.messages();
  if (!base::has_packages(inputs_.base, wanted, *cache_)) {
    check_runs(inputs_.base.config.platform.architecture, "a layer of Debian packages");
    messages.note(fmt::format("adding Debian packages to {} (once; they are kept): {}", printable(inputs_.base.name),
                              fmt::join(packages, " ")));
  }
  const std::vector<base::InstalledPackage> before = inputs_.base.packages;
  try {
    inputs_.base = base::add_packages(inputs_.base, wanted, cache_,
                                      [&](const std::string& line) { messages.progress("packages: " + line); });
  } catch (Error& error) {
    if (needed.empty()) throw;
    error.set_hint(fmt::format("{}{}{}; without it: auto = false in [tool.veneer.system]", error.hint(),
                               error.hint().empty() ? "" : "; ", needed.front().why));
    throw;
  }
  messages.clear_progress();
  std::uint64_t installed = 0;
  const std::vector<base::InstalledPackage> added = base::packages_added(before, inputs_.base.packages);
  for (const base::InstalledPackage& package : added) installed += package.installed_size;
  for (const build::PackageReason& reason : needed) {
    inputs_.findings.push_back(fmt::format("the Debian package {} is added: {}", reason.package, reason.why));
  }
  if (needed.empty()) return;
  inputs_.findings.push_back(
      fmt::format("the layer of Debian packages holds {} with what they depend on, {} installed, {} to send",
                  added.size(), human_size(installed), human_size(inputs_.base.layers.back().size)));
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

python::SelectRequest BuildSession::select_request(const BuildRequest& request) const {
  const python::Project& project = inputs_.project;
  python::SelectOptions options;
  options.extras = project.extras;
  options.groups = project.groups;
  options.extras.insert(options.extras.end(), request.extras.begin(), request.extras.end());
  options.groups.insert(options.groups.end(), request.groups.begin(), request.groups.end());
  return {inputs_.target, std::move(options), python::DefaultGroups::left_out, project.name};
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
