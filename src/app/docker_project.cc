#include "app/docker_project.hh"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>

#include "app/image_python.hh"
#include "app/locked_project.hh"
#include "app/project_base.hh"
#include "app/project_files.hh"
#include "app/selection_request.hh"
#include "app/start_command.hh"
#include "build/image_name.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/process.hh"
#include "image/places/image_names.hh"
#include "python/supply/uv_build.hh"

namespace veneer::app {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t largest_dockerfile = 4 << 20;
constexpr std::string_view other_way = "veneer build makes an image of it without Dockerfiles";
constexpr std::size_t shown_digits = 12;

/// Its lock, and its files by git, in one folder: that is the context of docker build.
void check_place(const LockedProject& found, const std::optional<python::GitFolder>& git) {
  const fs::path& folder = found.project.folder;
  if (found.lock_path != folder / "uv.lock") {
    throw Error(ErrorKind::refused,
                fmt::format("generated Dockerfiles want uv.lock beside pyproject.toml; the lock is {}",
                            printable(found.lock_path.native())),
                std::string(other_way));
  }
  if (!git || !git->subfolder.empty()) {
    throw Error(ErrorKind::refused,
                fmt::format("{} is not the root of a git repository, of which generated Dockerfiles take what is "
                            "tracked",
                            printable(folder.native())),
                std::string(other_way));
  }
}

/// As FROM takes it.
std::string from_of(const python::Project& project, const python::PythonChoice& python,
                    const std::optional<base::LockedBase>& pinned, bool is_named) {
  if (!is_named) return fmt::format("python:{}-slim-{}", python.wanted(), python.suite);
  const python::BaseChoice& base = *project.base;
  if (!base.suite.empty()) return fmt::format("debian:{}-slim", base.suite);
  std::string name = base.text;
  for (const std::string_view prefix : {"registry:", "docker:"}) {
    if (name.starts_with(prefix)) name.erase(0, prefix.size());
  }
  if (name == base.text && image::names_a_place(name)) {
    throw Error(ErrorKind::refused, fmt::format("docker build cannot stand on {}", printable(name)),
                "name an image of a registry or of Docker: base = \"python:3.13-slim\" or \"docker:NAME\"");
  }
  const bool has_digest = name.find('@') != std::string::npos;
  if (has_digest || !pinned || !pinned->image.manifest) return name;
  return fmt::format("{}@{}", name, (pinned->image.index ? *pinned->image.index : *pinned->image.manifest).text());
}

/// Of the Python and C library that the base will have, as far as its name tells.
python::Target target_of(const python::PythonChoice& python, const python::Project& project,
                         const std::optional<base::LockedBase>& pinned, const std::string& platform) {
  if (pinned && !pinned->target.python.empty() && project.python.empty()) {
    return parse_target(pinned->target.python, platform, pinned->target.libc);
  }
  std::string version = python.source == python::PythonSource::base ? project.python : python.wanted();
  if (version.empty()) {
    throw Error(ErrorKind::refused,
                fmt::format("nothing says which Python {} has", printable(project.base ? project.base->text : "")),
                "python = \"3.12\" in [tool.veneer]");
  }
  if (std::count(version.begin(), version.end(), '.') == 1) version += ".0";
  const python::DebianRelease* release = python::find_debian_release(python.suite);
  return parse_target(version, platform, fmt::format("glibc-2.{}", release != nullptr ? release->glibc : 36));
}

std::string hash_of(const python::SelectedPackage& package) {
  if (package.hash) return package.hash->hex().substr(0, shown_digits);
  if (!package.hashes.empty())
    return sha256(fmt::format("{}", fmt::join(package.hashes, " "))).hex().substr(0, shown_digits);
  return package.git_commit.substr(0, shown_digits);
}

/// What is installed, and where its files lie when they are the project's.
void take_selection(DockerProject& project, const python::Selection& selection) {
  bool has_sources = false;
  for (const python::SelectedPackage& package : selection.packages) {
    if (package.is_project) continue;
    if (package.kind == python::PackageKind::tree) {
      throw Error(ErrorKind::refused,
                  fmt::format("{} is a folder, which no base image can hold: it changes with the code",
                              printable(package.name)),
                  std::string(other_way));
    }
    has_sources = has_sources || package.kind != python::PackageKind::wheel;
    if (package.index.empty() && package.location.find("://") == std::string::npos && !package.location.empty()) {
      const std::string place = fs::path(package.location).lexically_normal().generic_string();
      if (place.starts_with('/') || place.starts_with("..")) {
        throw Error(ErrorKind::refused,
                    fmt::format("{} lies outside the project, where docker build does not reach", printable(place)),
                    std::string(other_way));
      }
      project.facts.local_files.push_back(place);
    }
    project.ingredients["distribution " + package.name] = fmt::format("{} {}", package.version, hash_of(package));
  }
  std::vector<std::string>& wanted = project.facts.build_packages;
  if (has_sources) wanted.insert(wanted.end(), {"g++", "gcc", "libc6-dev"});
}

void check_lines(const python::ImageOptions& run) {
  const auto check = [](const std::string& what, const std::string& value) {
    if (value.find_first_of("\n\r") == std::string::npos) return;
    throw Error(ErrorKind::refused, fmt::format("{} has a line break, which no Dockerfile can say", printable(what)),
                std::string(other_way));
  };
  for (const auto& [name, value] : run.environment) check("the variable " + name, value);
  for (const auto& [name, value] : run.labels) check("the label " + name, value);
  for (const std::string& path : run.writable) check("writable", path);
  for (const std::string& path : run.empty_files) check("empty_files", path);
  for (const python::FileRule& rule : run.files) check("files", rule.from + rule.to);
}

std::string snapshot_of(const python::Project& project, const std::string& chosen, const std::string& pinned,
                        const Surroundings& surroundings) {
  const std::string& said = project.system.snapshot;
  if (!said.empty() && said != python::newest_snapshot) return said;
  if (!chosen.empty()) return chosen;
  if (!pinned.empty()) return pinned;
  const std::time_t now = surroundings.seconds_since_1970();
  return fmt::format("{:%Y%m%dT000000Z}", fmt::gmtime(now));
}

std::string uv_version(const std::string& chosen, const Surroundings& surroundings) {
  if (!chosen.empty()) return chosen;
  const auto path = find_program("uv", surroundings.environment("PATH").value_or(""));
  if (!path)
    throw Error(ErrorKind::not_found, "there is no uv, whose version Dockerfile.base is to name", "install uv");
  return python::find_uv(*path).version;
}

void add_options(std::vector<std::string>& words, const char* option, const std::vector<std::string>& names) {
  for (const std::string& name : names) words.insert(words.end(), {option, name});
}

/// What the application runs, as a build finds it, but for a Dockerfile that was generated.
void choose_run(build::BuildInputs& inputs, const BuildRequest& request, const image::LayerCache& cache,
                Surroundings& surroundings) {
  build::fill_defaults(inputs);
  const start::Decision start =
      choose_start({inputs, request, cache, [](const std::string&) { return true; }}, surroundings);
  if (!start.start) refuse_without_start(inputs, start, surroundings);
  check_lines(inputs.project.image);
}

}  // namespace

DockerProject read_docker_project(const BuildRequest& request, Surroundings& surroundings,
                                  const python::Project* edited) {
  LockedProject found = read_locked_project(request, surroundings);
  if (edited != nullptr) found.project = *edited;
  build::BuildInputs inputs;
  inputs.project = found.project;
  python::GitCheckouts checkouts;
  const auto git = checkouts.find(inputs.project.folder);
  check_place(found, git);
  inputs.files = list_files(inputs.project, git);
  choose_files(inputs.project, git, IgnoreFile(inputs.project.folder, {{".dockerignore"}, ""}), inputs.files);

  const bool is_named = inputs.project.base.has_value();
  const auto cache = std::make_shared<image::LayerCache>(surroundings.cache_folder());
  const python::UvProgram no_uv;
  ProjectBase base({inputs, request, *found.lock, cache, no_uv, found.folder, surroundings});
  python::SelectRequest selection = selection_of(inputs.project, request);
  base.choose(selection);
  const std::optional<base::LockedBase>& pinned = base.pins().before();
  inputs.target = selection.target = target_of(inputs.python_choice, inputs.project, pinned, base.platform());
  inputs.selection = python::select(*found.lock, selection);

  DockerProject project;
  project.folder = inputs.project.folder;
  setup::DockerFacts& facts = project.facts;
  const auto before = read_text_file_if_exists(project.folder / setup::docker_base_name, largest_dockerfile);
  const bool is_ours = before && setup::read_stamp(*before);
  const setup::DockerChoices chosen = is_ours ? setup::read_docker_base(*before) : setup::DockerChoices();
  const python::SystemOptions& system = inputs.project.system;
  facts.from = from_of(inputs.project, inputs.python_choice, is_named ? pinned : std::nullopt, is_named);
  facts.mirror = system.mirror;
  facts.uv = uv_version(chosen.uv, surroundings);
  facts.packages = system.packages;
  facts.build_packages = inputs.project.build.packages;
  facts.build_packages.emplace_back("git");
  if (facts.from.starts_with("debian:")) {
    facts.packages.emplace_back("python3");
    facts.build_packages.emplace_back("python3-pip");
  }
  add_options(facts.selection, "--extra", selection.options.extras);
  add_options(facts.selection, "--group", selection.options.groups);
  take_selection(project, inputs.selection);
  for (auto* names : {&facts.packages, &facts.build_packages}) {
    std::sort(names->begin(), names->end());
    names->erase(std::unique(names->begin(), names->end()), names->end());
  }
  facts.snapshot = snapshot_of(inputs.project, chosen.snapshot, pinned ? pinned->snapshot : "", surroundings);
  choose_run(inputs, request, *cache, surroundings);
  facts.run = inputs.project.image;
  facts.is_package = inputs.project.is_package;
  facts.image = build::image_name(inputs.project);

  base::Ingredients& all = project.ingredients;
  const auto add = [&all](const char* what, const std::string& value) {
    if (!value.empty()) all[what] = value;
  };
  add("base", facts.from);
  add("snapshot", facts.snapshot);
  add("mirror", facts.mirror);
  add("uv", facts.uv);
  add("packages", fmt::format("{}", fmt::join(facts.packages, " ")));
  add("packages for builds", fmt::format("{}", fmt::join(facts.build_packages, " ")));
  add("Dockerfile.base", sha256(setup::docker_recipe(facts)).hex().substr(0, shown_digits));
  facts.ingredients = base::write_ingredients(all);
  facts.fingerprint = base::fingerprint(all);
  return project;
}

std::vector<setup::GeneratedFile> docker_files(const DockerProject& project) {
  return {setup::docker_base(project.facts), setup::dockerfile(project.facts), setup::docker_ignore(),
          setup::docker_makefile(project.facts)};
}

BaseStatus docker_base_status(const BuildRequest& request, const WantedImage& image, deliver::Line line,
                              Surroundings& surroundings) {
  const DockerProject project = read_docker_project(request, surroundings);
  BaseStatus status;
  status.fingerprint = project.facts.fingerprint;
  status.name = fmt::format("{}-base:{}", project.facts.image, status.fingerprint);
  if (image) {
    const OpenedImage opened = open_image(image, surroundings);
    compare_with(status, opened, project.ingredients);
    if (!status.changes.empty()) status.rebuild = forecast_rebuild(opened, opened.sealed.image, status.changes, line);
    return status;
  }
  const fs::path file = project.folder / setup::docker_base_name;
  const auto text = read_text_file_if_exists(file, largest_dockerfile);
  if (!text) return status;
  const auto label = setup::read_docker_base(*text).ingredients;
  if (!label) {
    throw Error(ErrorKind::refused, fmt::format("{} is not one that veneer made", printable(file.native())),
                "veneer init --docker makes it; yours has to go elsewhere first");
  }
  status.compared = setup::docker_base_name;
  status.changes = in_context([&] { return printable(file.native()); },
                              [&] { return base::changes(base::read_ingredients(*label), project.ingredients); });
  return status;
}

}  // namespace veneer::app
