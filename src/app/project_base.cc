#include "app/project_base.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "app/base_workshop.hh"
#include "app/debian_snapshot.hh"
#include "app/image_python.hh"
#include "app/locked_pythons.hh"
#include "app/open_image.hh"
#include "app/selection_request.hh"
#include "app/start_command.hh"
#include "base/debian.hh"
#include "base/image_base.hh"
#include "base/interpreter.hh"
#include "base/machine.hh"
#include "base/system_packages.hh"
#include "build/placement.hh"
#include "build/recorded_facts.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/text.hh"
#include "foundation/units.hh"
#include "image/places/image_names.hh"
#include "image/platform.hh"

namespace veneer::app {

namespace fs = std::filesystem;

namespace {

std::string native_architecture() {
  if (const auto platform = image::native_platform()) return platform->architecture;
  throw Error(ErrorKind::refused, "veneer does not know what this machine is called", "name a base image");
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

}  // namespace

ProjectBase::ProjectBase(Parts parts)
    : inputs_(parts.inputs),
      request_(parts.request),
      lock_(parts.lock),
      cache_(std::move(parts.cache)),
      uv_(parts.uv),
      folder_(parts.folder),
      surroundings_(parts.surroundings),
      messages_(parts.surroundings.messages()),
      pins_(parts.lock.path().parent_path(), parts.request.base_lock,
            parts.lock.members().empty() ? BaseLockOf::one_project : BaseLockOf::workspace) {}

PythonInputs ProjectBase::choose(python::SelectRequest selection) {
  const image::Platform platform = request_.platform.value_or(image::Platform{"linux", native_architecture(), ""});
  python::Project& project = inputs_.project;
  PythonInputs question{project,
                        request_.python.has_value(),
                        lock_,
                        std::move(selection),
                        python_of_dockerfile(inputs_),
                        machine_of_platform(image::platform_text(platform))};
  python::PythonChoice& python = inputs_.python_choice;
  python = choose_python(question);
  for (const std::string& note : python.notes) messages_.note(note);
  if (python.source != python::PythonSource::base) messages_.note(python.text());
  if (!project.base) project.base = python::parse_base_choice("debian:" + python.suite);
  platform_ = image::platform_text(platform);
  pins_.choose(project.base->text, platform_);
  return question;
}

/// Where Debian is the base, its release and its Python are chosen here; the files of another base tell what it has.
void ProjectBase::read(python::SelectRequest selection) {
  const PythonInputs question = choose(std::move(selection));
  const image::Platform platform = image::parse_platform(platform_);
  const python::Project& project = inputs_.project;
  const python::PythonChoice& python = inputs_.python_choice;
  if (request_.base_facts == BaseFacts::verified && !pins_.had_base()) {
    throw Error(ErrorKind::refused,
                fmt::format("{} has nothing of {} for {} that its files could be compared with",
                            printable(pins_.path().native()), printable(project.base->text), platform_),
                "build once without --verify-base");
  }
  snapshot_ = project.system.snapshot;
  if (snapshot_ == python::newest_snapshot) snapshot_ = pins_.snapshot();
  if (snapshot_.empty() && !project.system.snapshot.empty()) {
    snapshot_ = newest_snapshot(project.system.mirror, project.base->suite, surroundings_);
  }
  std::string wanted = project.python;
  Preference preference;
  if (!project.base->suite.empty()) {
    // Before the base is made, which takes longer: it may not be reachable.
    std::optional<UvInterpreter> of_uv;
    if (python.source == python::PythonSource::uv) {
      of_uv =
          take_uv_python(python, {pins_.interpreter(), pins_.refresh()}, question.machine, uv_, *cache_, surroundings_);
    }
    make_debian_base(platform);
    if (of_uv) base::add_interpreter(inputs_.base, of_uv->interpreter, of_uv->layer, *cache_);
    if (python.source != python::PythonSource::base) wanted = of_uv ? of_uv->interpreter.version : python.wanted();
  } else {
    messages_.progress("reading the base");
    inputs_.base = read_image_base(*project.base, platform);
    image_layers_ = inputs_.base.layers.size();
    messages_.clear_progress();
  }
  if (python.source == python::PythonSource::base) preference = python_preference(question);
  pythons_ = inputs_.base.files->has_known() ? known_pythons(pins_.pythons()) : interpreters_of(inputs_.base, *cache_);
  const auto preferred = preference.request ? std::optional(preference.request->request) : std::nullopt;
  const python::TargetChoice chosen = python::choose_target(pythons_, project.requires_python, wanted, preferred);
  inputs_.target = chosen.chosen.target;
  base::check_machine(inputs_.base.config.platform, inputs_.target.machine, inputs_.target.interpreter);
  if (!chosen.others.empty() && !inputs_.base.interpreter) {
    messages_.note(fmt::format("the base has several interpreters; {} is taken", inputs_.target.interpreter));
  }
  if (preference.request && python::satisfies(*preferred, inputs_.target.full_version)) {
    inputs_.python_choice.reason = fmt::format("{} says {}", preference.request->place, printable(preferred->text));
  } else if (preference.request) {
    messages_.note(fmt::format("{} says Python {}, but the base has {}", preference.request->place,
                               printable(preferred->text), inputs_.target.full_version));
  } else if (!preference.problem.empty()) {
    messages_.note(fmt::format("{}; the base has {}", preference.problem, inputs_.target.full_version));
  }
}

void ProjectBase::make_debian_base(const image::Platform& platform) {
  const python::Project& project = inputs_.project;
  base::DebianRequest request;
  request.archive = archive();
  request.archive.suite = project.base->suite;
  request.architecture = platform.architecture;
  if (inputs_.python_choice.source == python::PythonSource::uv) request.python = base::DebianRequest::Python::left_out;
  request.pins = pins_.packages();
  request.refresh = pins_.refresh();
  request.temporary = temporary_folder();
  if (!base::has_debian_base(request, *cache_)) {
    check_runs(request.architecture, "a Debian base");
    messages_.note(fmt::format("making the base {} (once; it is kept)", project.base->text));
  }
  inputs_.base =
      base::make_debian_base(request, cache_, [&](const std::string& line) { messages_.progress("base: " + line); });
  messages_.clear_progress();
}

std::shared_ptr<BaseWorkshop> ProjectBase::workshop() const {
  base::PackagesRequest request;
  request.archive = archive();
  request.pins = pins_.build_packages();
  request.refresh = pins_.refresh();
  request.packages = inputs_.project.build.packages;
  request.temporary = temporary_folder();
  return BaseWorkshop::find(inputs_.base, inputs_.target, std::move(request), cache_, messages_);
}

fs::path ProjectBase::temporary_folder() const {
  fs::path folder = surroundings_.cache_folder() / "tmp";
  fs::create_directories(folder);
  return folder;
}

base::DebianArchive ProjectBase::archive() const {
  const python::SystemOptions& system = inputs_.project.system;
  base::DebianArchive archive;
  archive.snapshot = snapshot_;
  archive.mirror = system.mirror;
  archive.options = system.apt_options;
  archive.certificates = surroundings_.environment("SSL_CERT_FILE").value_or("");
  return archive;
}

/// What the wheels cannot do without is added; what is missing in the base then is said.
void ProjectBase::add_system_packages(python::WheelSupply& supply) {
  std::vector<build::DistributionNeeds> wheels;
  if (inputs_.project.system.automatic) {
    messages_.progress("looking at what the wheels need");
    const auto& previous = inputs_.previous;
    const bool is_believed = previous && previous->use == build::Previous::Layers::are_taken;
    const auto look = [&](const plan::PlanRecord* before) {
      wheels = build::needs_of(inputs_.selection, inputs_.target.machine, supply, *cache_, request_.workers, before);
    };
    look(is_believed ? &previous->record : nullptr);
    if (is_believed && is_in_doubt(wheels)) look(nullptr);
    inputs_.needs = wheels;
    messages_.clear_progress();
  }
  if (!build::want_something(wheels)) return add_packages({});
  const bool takes_packages = base::takes_packages(inputs_.base);
  add_packages(takes_packages ? needs_in_base(wheels).needed : std::vector<build::PackageReason>());
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

build::SystemNeeds ProjectBase::needs_in_base(const std::vector<build::DistributionNeeds>& wheels) const {
  const python::SystemOptions& system = inputs_.project.system;
  if (!build::want_something(wheels)) return {};
  return build::system_needs(wheels, inputs_.base.tree(), base::debian_suite(inputs_.base.tree()), system.packages,
                             system.exclude);
}

/// Whether a wheel that the image before had not wants a library that none of the others wanted: of what wheels bring,
/// that image tells no more than what was wanted.
bool ProjectBase::is_in_doubt(const std::vector<build::DistributionNeeds>& wheels) {
  using Source = build::DistributionNeeds::Source;
  const auto is_told = [](const build::DistributionNeeds& wheel) { return wheel.source == Source::image_before; };
  if (std::ranges::none_of(wheels, is_told)) return false;
  const auto set_of = [](const std::vector<std::string>& names) {
    return std::set<std::string>(names.begin(), names.end());
  };
  std::set<std::string> wanted;
  for (const build::DistributionNeeds& wheel : wheels) {
    if (wheel.source != Source::new_wheel) wanted.merge(set_of(build::asked_libraries(wheel.needs)));
  }
  return std::ranges::any_of(wheels, [&](const build::DistributionNeeds& wheel) {
    if (wheel.source != Source::new_wheel) return false;
    const std::set<std::string> asked = set_of(build::asked_libraries(wheel.needs));
    return !std::ranges::includes(wanted, asked);
  });
}

/// One layer above the base with what the project names and what is `needed`.
void ProjectBase::add_packages(const std::vector<build::PackageReason>& needed) {
  base::PackagesRequest wanted;
  wanted.archive = archive();
  wanted.packages = inputs_.project.system.packages;
  wanted.pins = pins_.packages();
  wanted.refresh = pins_.refresh();
  wanted.temporary = temporary_folder();
  for (const build::PackageReason& reason : needed) wanted.packages.push_back(reason.package);
  if (wanted.packages.empty()) return;
  inputs_.base.packages = base::read_packages(inputs_.base, *cache_);
  before_packages_ = inputs_.base.packages;
  const std::vector<std::string> packages = base::packages_to_add(inputs_.base, wanted);
  if (packages.empty()) return;
  if (!base::has_packages(inputs_.base, wanted, *cache_)) {
    check_runs(inputs_.base.config.platform.architecture, "a layer of Debian packages");
    messages_.note(fmt::format("adding Debian packages to {} (once; they are kept): {}", printable(inputs_.base.name),
                               fmt::join(packages, " ")));
  }
  try {
    inputs_.base = base::add_packages(inputs_.base, wanted, cache_,
                                      [&](const std::string& line) { messages_.progress("packages: " + line); });
  } catch (Error& error) {
    if (needed.empty()) throw;
    error.set_hint(fmt::format("{}{}{}; without it: auto = false in [tool.veneer.system]", error.hint(),
                               error.hint().empty() ? "" : "; ", needed.front().why));
    throw;
  }
  messages_.clear_progress();
  std::uint64_t installed = 0;
  const std::vector<base::InstalledPackage> added = base::packages_added(before_packages_, inputs_.base.packages);
  for (const base::InstalledPackage& package : added) installed += package.installed_size;
  for (const build::PackageReason& reason : needed) {
    inputs_.findings.push_back(fmt::format("the Debian package {} is added: {}", reason.package, reason.why));
  }
  if (needed.empty()) return;
  inputs_.findings.push_back(
      fmt::format("the layer of Debian packages holds {} with what they depend on, {} installed, {} to send",
                  added.size(), human_size(installed), human_size(inputs_.base.layers.back().size)));
}

base::Base ProjectBase::read_image_base(const python::BaseChoice& choice, const image::Platform& platform) const {
  return in_context(
      [&] { return "reading the base " + printable(choice.text); },
      [&] {
        const auto place =
            image::read_base_name(choice.text, choice.folder.empty() ? inputs_.project.folder : choice.folder);
        const base::LockedImage locked = pins_.image();
        const bool is_known = request_.base_facts == BaseFacts::as_known && !pins_.pythons().empty();
        const base::KnownImage known{locked, is_known ? pins_.files() : std::vector<base::LockedFile>()};
        const auto read = [&](const image::ImagePlace& from) {
          return base::read_image_base(from, platform, place_context(folder_, surroundings_), cache_.get(), known);
        };
        const auto pinned = locked.manifest ? place->pinned(*locked.manifest) : nullptr;
        if (pinned == nullptr) return read(*place);
        try {
          base::Base base = read(*pinned);
          base.image.index = locked.index;
          return base;
        } catch (const Error& error) {
          if (error.kind() != ErrorKind::not_found) throw;
          return read(*place);  // what is pinned cannot be had any more; take() says so
        }
      });
}

/// As a builder that lacks the layers must know it. `found`: the interpreters of `base`.
base::TargetFacts ProjectBase::facts_of(const base::Base& base,
                                        const std::vector<python::FoundInterpreter>& found) const {
  const auto same = std::find_if(found.begin(), found.end(), [&](const python::FoundInterpreter& interpreter) {
    return interpreter.target.interpreter == inputs_.target.interpreter;
  });
  if (same == found.end()) {
    throw Error(ErrorKind::verification, fmt::format("{} has no {}, though the cache says so", printable(base.name),
                                                     printable(inputs_.target.interpreter)));
  }
  const base::LockedPython python = locked_python(*same);
  base::TargetFacts facts{python.interpreter, python.python, python.libc, python.machine, {}};
  const build::Placement placement(*base.files);
  facts.folders = split_words(placement.parent_facts(placement.resolve(inputs_.prefix)), "\n");
  return facts;
}

/// The rows of the lock as the files are now, where they were read.
std::vector<base::LockedFile> ProjectBase::compared_files(const base::BaseFiles& files) const {
  if (!files.is_read()) return pins_.files();
  std::vector<base::LockedFile> rows;
  for (const base::LockedFile& row : pins_.files()) {
    auto now = base::locked_file(files.all(), row.path);
    if (!now) continue;
    const tree::Inode* inode = files.all().find(row.path);
    if (row.text && inode != nullptr && inode->content != nullptr) now->text = base::locked_text(*inode->content);
    rows.push_back(*std::move(now));
  }
  return rows;
}

BasePins ProjectBase::settle() {
  base::Base base = inputs_.base;
  if (request_.base_facts == BaseFacts::verified) {  // every byte of it
    messages_.progress("reading all of the base");
    base.files = base::files_of(base, nullptr);
    pythons_ = read_interpreters(base);
    messages_.clear_progress();
  }
  const bool is_debian = !inputs_.project.base->suite.empty();
  base::LockedBase taken;
  taken.name = inputs_.project.base->text;
  taken.platform = platform_;
  taken.kind = is_debian             ? base::LockedBase::Kind::debian
               : base.image.manifest ? base::LockedBase::Kind::registry
                                     : base::LockedBase::Kind::image;
  taken.snapshot = snapshot_;
  taken.image = base.image;
  taken.interpreter = base.interpreter;
  taken.target = facts_of(base, pythons_);
  // What is added to an image differs from member to member of a workspace.
  const bool is_the_image = !is_debian && base.layers.size() == image_layers_;
  taken.pythons = is_the_image ? locked_pythons(pythons_) : pins_.pythons();
  taken.files = is_the_image ? compared_files(*base.files) : pins_.files();
  const std::vector<base::InstalledPackage> packages =
      is_debian ? base.packages : base::packages_added(before_packages_, base.packages);
  for (const base::InstalledPackage& package : packages) {
    taken.packages.push_back({package.name, package.version, package.architecture, package.sha256});
  }
  pins_.take(std::move(taken), is_the_image ? inputs_.base.files : nullptr, surroundings_);
  return std::move(pins_);
}

}  // namespace veneer::app
