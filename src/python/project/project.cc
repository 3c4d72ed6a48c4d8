#include "python/project/project.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/layer_limit.hh"
#include "foundation/text.hh"
#include "foundation/toml.hh"
#include "python/name.hh"
#include "python/project/build_environment.hh"
#include "python/project/prepare_steps.hh"
#include "python/project/project_about.hh"
#include "python/project/project_values.hh"
#include "python/project/strict_table.hh"
#include "python/python_version.hh"

namespace veneer::python {

namespace {

bool is_lower_or_digit(char c) { return is_lower(c) || is_digit(c); }

std::uint32_t file_mode(const StrictTable& table, const std::string& text) {
  std::uint32_t mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (error != std::errc() || end != text.data() + text.size() || text.size() < 3 || mode > 07777) {
    table.refuse("mode", fmt::format("\"{}\" is not an octal mode such as \"0644\"", printable(text)));
  }
  return mode;
}

std::uint32_t identity(const StrictTable& table, const std::string& all, std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
    table.refuse("user", fmt::format("\"{}\" is not of the form \"1000\" or \"1000:1000\"", printable(all)),
                 "names are not known before the image exists; give the numbers");
  }
  return number;
}

void check_port(const StrictTable& table, const std::string& text) {
  const std::string_view number = std::string_view(text).substr(0, text.find('/'));
  const std::string_view protocol = std::string_view(text).substr(number.size());
  unsigned port = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), port);
  if (error != std::errc() || end != number.data() + number.size() || port == 0 || port > 65535 ||
      (!protocol.empty() && protocol != "/tcp" && protocol != "/udp" && protocol != "/sctp")) {
    table.refuse("expose", fmt::format("\"{}\" is not a port such as \"8080\" or \"8080/tcp\"", printable(text)));
  }
}

/// Debian policy 5.6.1 (names) and 5.6.12 (versions). The text becomes an argument of apt, so nothing else may pass.
bool is_debian_package(std::string_view text) {
  const std::size_t name_end = std::min(text.find_first_of(":="), text.size());
  const std::string_view name = text.substr(0, name_end);
  const auto is_name_character = [](char c) { return is_lower_or_digit(c) || c == '+' || c == '-' || c == '.'; };
  if (name.size() < 2 || !is_lower_or_digit(name[0]) || !std::all_of(name.begin(), name.end(), is_name_character)) {
    return false;
  }
  std::string_view rest = text.substr(name_end);
  if (rest.starts_with(':')) {
    const std::size_t end = std::min(rest.find('='), rest.size());
    const std::string_view architecture = rest.substr(1, end - 1);
    const auto is_fine = [](char c) { return is_lower_or_digit(c) || c == '-'; };
    if (architecture.empty() || !std::all_of(architecture.begin(), architecture.end(), is_fine)) return false;
    rest = rest.substr(end);
  }
  if (rest.empty()) return true;
  const std::string_view version = rest.substr(1);
  const auto is_fine = [](char c) {
    return is_letter(c) || is_digit(c) || c == '.' || c == '+' || c == '-' || c == '~' || c == ':';
  };
  return !version.empty() && is_digit(version[0]) && std::all_of(version.begin(), version.end(), is_fine);
}

/// Names of packages, sorted, each once.
std::vector<std::string> debian_packages(const StrictTable& table, std::string_view key) {
  std::vector<std::string> packages = table.texts(key);
  for (const std::string& package : packages) {
    if (!is_debian_package(package)) {
      table.refuse(key, fmt::format("\"{}\" is not the name of a Debian package", printable(package)));
    }
  }
  std::sort(packages.begin(), packages.end());
  packages.erase(std::unique(packages.begin(), packages.end()), packages.end());
  return packages;
}

SystemOptions read_system(const Value& value) {
  const StrictTable table(value, "[tool.veneer.system]",
                          {"apt_options", "auto", "exclude", "mirror", "packages", "snapshot"});
  SystemOptions system;
  system.packages = debian_packages(table, "packages");
  system.exclude = debian_packages(table, "exclude");
  for (const std::string& package : system.exclude) {
    if (package.find_first_of(":=") != std::string::npos) {
      table.refuse("exclude", fmt::format("\"{}\" is more than a name", package));
    }
    if (std::binary_search(system.packages.begin(), system.packages.end(), package)) {
      table.refuse("exclude", fmt::format("\"{}\" is also in packages", package));
    }
  }
  if (const Value* automatic = table.find("auto")) {
    if (!automatic->is_boolean()) table.refuse("auto", "is neither true nor false");
    system.automatic = automatic->boolean();
  }
  system.apt_options = table.texts("apt_options");
  for (const std::string& option : system.apt_options) {
    if (has_control(option) || option.find("::") == std::string::npos || option.ends_with(';')) {
      table.refuse("apt_options", fmt::format("\"{}\" is not an option of apt.conf", printable(option)),
                   "one looks like this: 'Acquire::Check-Valid-Until \"false\"'");
    }
  }
  system.snapshot = table.text("snapshot");
  if (!system.snapshot.empty() && system.snapshot != newest_snapshot) {
    bool fits = system.snapshot.size() == 16 && system.snapshot[8] == 'T' && system.snapshot[15] == 'Z';
    for (std::size_t i = 0; fits && i < 15; ++i) fits = i == 8 || is_digit(system.snapshot[i]);
    if (!fits) {
      table.refuse("snapshot",
                   fmt::format("\"{}\" is neither auto nor of the form 20260101T000000Z", printable(system.snapshot)));
    }
  }
  system.mirror = table.text("mirror");
  if (!system.mirror.empty()) {
    const bool known = system.mirror.starts_with("http://") || system.mirror.starts_with("https://") ||
                       system.mirror.starts_with("file:///");
    if (!known || has_control(system.mirror) || system.mirror.find_first_of(" \"'`$\\[]") != std::string::npos) {
      table.refuse("mirror", "expected an http, https or file URL");
    }
  }
  return system;
}

BuildOptions read_build(const Value& value) {
  const StrictTable table(value, "[tool.veneer.build]", {"environment", "packages"});
  BuildOptions build;
  build.packages = debian_packages(table, "packages");
  build.environment = table.texts("environment");
  for (const std::string& name : build.environment) {
    const auto is_fine = [](char c) { return is_letter(c) || is_digit(c) || c == '_'; };
    if (name.empty() || is_digit(name[0]) || !std::all_of(name.begin(), name.end(), is_fine)) {
      table.refuse("environment", fmt::format("\"{}\" is not the name of a variable", printable(name)),
                   "list names; their values are those of whoever builds");
    }
    if (is_set_for_builds(name)) {
      table.refuse("environment", fmt::format("{} is set by veneer in each build", name));
    }
  }
  std::sort(build.environment.begin(), build.environment.end());
  build.environment.erase(std::unique(build.environment.begin(), build.environment.end()), build.environment.end());
  return build;
}

/// health = { cmd = […], interval = 30, … }, times in seconds, as an image's configuration has it.
Value read_health(const Value& value) {
  const StrictTable table(value, "[tool.veneer.image] health",
                          {"cmd", "interval", "timeout", "start_period", "start_interval", "retries"});
  Value::Array test = {"CMD"};
  for (std::string& word : table.texts("cmd")) test.emplace_back(std::move(word));
  if (test.size() == 1) table.refuse("cmd", "is missing: the words of the command that is run");
  Value health;
  health.set("Test", std::move(test));
  constexpr std::size_t longest = 24 * 3600;
  constexpr std::array<std::pair<const char*, const char*>, 4> times = {{{"interval", "Interval"},
                                                                         {"timeout", "Timeout"},
                                                                         {"start_period", "StartPeriod"},
                                                                         {"start_interval", "StartInterval"}}};
  for (const auto& [key, name] : times) {
    if (const auto seconds = table.number(key, 1, longest))
      health.set(name, std::int64_t{1'000'000'000} * static_cast<std::int64_t>(*seconds));
  }
  if (const auto retries = table.number("retries", 1, 1000)) health.set("Retries", std::uint64_t{*retries});
  return health;
}

ImageOptions read_image(const Value& value) {
  const StrictTable table(value, "[tool.veneer.image]",
                          {"name", "tag", "entrypoint", "cmd", "env", "expose", "health", "user", "workdir", "labels",
                           "files", "empty_files", "writable"});
  ImageOptions image;
  for (const auto& [key, ignored] : value.table()) image.given.insert(key);
  image.name = table.text("name");
  image.tag = table.text("tag");
  image.entrypoint = table.texts("entrypoint");
  image.cmd = table.texts("cmd");
  image.environment = variables(table, "env");
  if (const Value* health = table.find("health"); health != nullptr && health->is_table()) {
    image.health = read_health(*health);
  } else if (health != nullptr) {
    if (!health->is_boolean()) table.refuse("health", "is neither true nor false, nor a table");
    image.wants_health = health->boolean();
  }
  image.expose = table.texts("expose");
  for (const std::string& port : image.expose) check_port(table, port);
  if (const std::string user = table.text("user"); !user.empty()) {
    const std::size_t colon = user.find(':');
    image.user = identity(table, user, std::string_view(user).substr(0, colon));
    image.group =
        colon == std::string::npos ? image.user : identity(table, user, std::string_view(user).substr(colon + 1));
  }
  if (const std::string workdir = table.text("workdir"); !workdir.empty()) {
    image.workdir = workdir == "/" ? workdir : image_path(table, "workdir", workdir);
  }
  image.labels = table.text_map("labels");
  image.has_files = table.find("files") != nullptr;
  table.each_table("files", [&](const Value& item, const std::string& place) {
    const StrictTable row(item, place, {"from", "to", "mode"});
    for (const std::string_view key : {"from", "to"}) {
      if (row.find(key) == nullptr) row.refuse(key, "is missing");
    }
    FileRule rule;
    rule.from = source_path(row, "from", row.text("from"));
    rule.to = image_path(row, "to", row.text("to"));
    if (const std::string mode = row.text("mode"); !mode.empty()) rule.mode = file_mode(row, mode);
    image.files.push_back(std::move(rule));
  });
  for (const std::string& path : table.texts("empty_files")) {
    image.empty_files.push_back(image_path(table, "empty_files", path));
  }
  for (const std::string& path : table.texts("writable")) image.writable.push_back(image_path(table, "writable", path));
  return image;
}

InitOptions read_init(const Value& value) {
  const StrictTable table(value, "[tool.veneer.init]", {"ci", "docker", "make", "rebuild"});
  InitOptions init;
  for (const auto& [key, ignored] : value.table()) init.given.insert(key);
  const auto flag = [&](std::string_view key) {
    const Value* given = table.find(key);
    if (given != nullptr && !given->is_boolean()) table.refuse(key, "is neither true nor false");
    return given == nullptr || given->boolean();
  };
  init.makes_workflow = flag("ci");
  init.makes_makefile = flag("make");
  init.is_for_docker = table.find("docker") != nullptr && flag("docker");
  const std::string rebuild = table.text("rebuild");
  if (!rebuild.empty() && rebuild != "stale" && rebuild != "weekly")
    table.refuse("rebuild", fmt::format("\"{}\" is neither stale nor weekly", printable(rebuild)));
  init.weekly = rebuild == "weekly";
  return init;
}

std::vector<std::string> set_of_names(const StrictTable& table, std::string_view key) {
  std::vector<std::string> names = normalised_names(table.texts(key));
  if (std::find(names.begin(), names.end(), "") != names.end()) table.refuse(key, "a name is empty");
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Registries registries_of(const Value& value, const std::filesystem::path& folder) {
  if (!value.is_table()) throw Error(ErrorKind::refused, "[tool.veneer] registries: expected a table a registry");
  Registries registries;
  for (const auto& [name, settings] : value.table()) {
    const StrictTable table(settings, fmt::format("[tool.veneer.registries.\"{}\"]", printable(name)),
                            {"ca", "mirror"});
    RegistrySettings& registry = registries[name];
    registry.mirrors = table.texts("mirror");
    if (const std::string ca = table.text("ca"); !ca.empty()) registry.ca = folder / ca;
  }
  return registries;
}

void read_veneer(const Value& value, Project& project) {
  const StrictTable table(value, "[tool.veneer]",
                          {"base", "build", "byte_code", "dependency_layers", "dockerfile", "extras", "groups", "init",
                           "package", "prepare", "previous", "python", "registries", "system", "image"});
  if (const std::string base = table.text("base"); !base.empty()) {
    project.base = in_context([] { return "[tool.veneer] base"; }, [&] { return parse_base_choice(base); });
  }
  if (const Value* dockerfile = table.find("dockerfile")) {
    const bool is_none = dockerfile->is_boolean() && !dockerfile->boolean();
    std::string up;  // to the root of the workspace
    std::string below = is_none ? "" : table.text("dockerfile");
    for (; below.starts_with("../"); below.erase(0, 3)) up += "../";
    project.dockerfile = is_none ? "" : up + source_path(table, "dockerfile", below);
  }
  if (const Value* registries = table.find("registries"))
    project.registries = registries_of(*registries, project.folder);
  project.extras = set_of_names(table, "extras");
  project.groups = set_of_names(table, "groups");
  if (const std::string package = table.text("package"); !package.empty()) project.package = normalised_name(package);
  if (const Value* byte_code = table.find("byte_code")) {
    if (!byte_code->is_boolean()) table.refuse("byte_code", "is neither true nor false");
    project.byte_code = byte_code->boolean();
  }
  project.previous = table.text("previous");
  project.dependency_layers = table.number("dependency_layers", 1, mountable_layers);
  project.python = table.text("python");
  if (!project.python.empty() && !parse_python_version(project.python)) {
    table.refuse("python", fmt::format("\"{}\" is not a version such as \"3.11\"", printable(project.python)));
  }
  if (const Value* system = table.find("system")) project.system = read_system(*system);
  if (const Value* build = table.find("build")) project.build = read_build(*build);
  if (const Value* image = table.find("image")) project.image = read_image(*image);
  if (const Value* init = table.find("init")) project.init = read_init(*init);
  project.prepare = read_prepare_steps(table);
}

/// Build requirements that take the version from git's tags.
constexpr std::array version_plugins = {"setuptools-scm",
                                        "hatch-vcs",
                                        "versioningit",
                                        "setuptools-git-versioning",
                                        "poetry-dynamic-versioning",
                                        "uv-dynamic-versioning",
                                        "pdm-backend",
                                        "flit-scm",
                                        "versioneer",
                                        "setuptools-git-version"};

/// [[tool.uv.index]], the keys that it replaced, and pages of links, which are asked likewise.
std::vector<PackageIndex> indexes_of(const Value& uv) {
  std::vector<PackageIndex> indexes;
  for (const Value& index : uv.array_or_empty("index")) {
    const std::string name = index.string_or("name", "");
    const std::string place = "[[tool.uv.index]]" + (name.empty() ? "" : " " + printable(name));
    indexes.push_back({name, index.at("url").string(), place});
  }
  if (const std::string url = uv.string_or("index-url", ""); !url.empty()) {
    indexes.push_back({"", url, "[tool.uv] index-url"});
  }
  for (const char* key : {"extra-index-url", "find-links"}) {
    for (const std::string& url : uv.strings_or_empty(key)) {
      indexes.push_back({"", url, std::string("[tool.uv] ") + key});
    }
  }
  return indexes;
}

void read_build_system(const Value& document, Project& project, bool version_is_dynamic) {
  const Value* build = document.find("build-system");
  project.is_package = build != nullptr;
  if (build != nullptr) {
    project.build_backend = build->string_or("build-backend", "setuptools.build_meta:__legacy__");
    project.build_requires = build->strings_or_empty("requires");
  }
  if (version_is_dynamic) {
    for (const std::string& requirement : project.build_requires) {
      const std::string name = normalised_name(leading_name(requirement));
      if (std::find(version_plugins.begin(), version_plugins.end(), name) == version_plugins.end()) continue;
      // This backend can take the version from a file as well.
      const Value& pdm = document.table_or_empty("tool").table_or_empty("pdm").table_or_empty("version");
      if (name == "pdm-backend" && pdm.string_or("source", "") != "scm") continue;
      project.version_plugin = name;
      break;
    }
  }
  const Value& uv = document.table_or_empty("tool").table_or_empty("uv");
  project.is_package = uv.boolean_or("package", project.is_package);
  for (const Value& constraint : uv.array_or_empty("build-constraint-dependencies")) {
    if (constraint.is_string()) project.build_constraints.push_back(constraint.string());
  }
  std::sort(project.build_constraints.begin(), project.build_constraints.end());
  project.indexes = indexes_of(uv);
}

/// [tool.uv] of the folder's pyproject.toml; nothing when there is no such file.
std::optional<Value> uv_table(const std::filesystem::path& folder) {
  const auto text = read_text_file_if_exists(folder / "pyproject.toml", largest_pyproject);
  if (!text) return std::nullopt;
  return in_context([&] { return "reading " + printable((folder / "pyproject.toml").native()); },
                    [&] { return parse_toml(*text).table_or_empty("tool").table_or_empty("uv"); });
}

bool is_workspace_root(const std::filesystem::path& folder) {
  const std::optional<Value> uv = uv_table(folder);
  return uv && uv->find("workspace") != nullptr;
}

}  // namespace

BaseChoice parse_base_choice(std::string_view text) {
  constexpr std::string_view debian = "debian:";
  if (text.empty() || has_control(text)) {
    throw Error(ErrorKind::refused, fmt::format("\"{}\" is no base", printable(text)),
                "for example \"debian:bookworm\"");
  }
  BaseChoice choice;
  choice.text = text;
  if (!text.starts_with(debian)) return choice;
  choice.suite = text.substr(debian.size());
  const std::string& suite = choice.suite;
  const bool fits = !suite.empty() && is_lower_or_digit(suite[0]) && suite.size() < 40 &&
                    std::all_of(suite.begin(), suite.end(), [](char c) { return is_lower_or_digit(c) || c == '-'; });
  if (!fits) {
    throw Error(ErrorKind::refused, fmt::format("\"{}\" does not name a Debian suite", printable(text)),
                "for example \"debian:trixie\" or \"debian:bookworm\"; an image of that name is docker:debian:TAG");
  }
  return choice;
}

const std::string no_project_hint = "name a member of the workspace with --package, or run veneer in its folder";

Project parse_project(std::string_view text, const std::filesystem::path& folder) {
  const Value document = parse_toml(text);
  const Value* metadata = document.find("project");
  if (metadata == nullptr) {
    throw Error(ErrorKind::refused, "it has no [project] table", no_project_hint);
  }
  Project project;
  project.folder = folder;
  project.name = normalised_name(metadata->at("name").string());
  if (project.name.empty()) throw Error(ErrorKind::refused, "[project] name is empty");
  project.version = metadata->string_or("version", "");
  project.requires_python = metadata->string_or("requires-python", "");
  for (const auto& [name, target] : metadata->table_or_empty("scripts").table()) {
    project.scripts.push_back(name);
    if (target.is_string()) project.script_targets[name] = target.string();
  }
  for (const Value& dependency : metadata->array_or_empty("dependencies")) {
    if (dependency.is_string()) project.dependencies.push_back(normalised_name(leading_name(dependency.string())));
  }
  project.fastapi_entrypoint = document.table_or_empty("tool").table_or_empty("fastapi").string_or("entrypoint", "");
  std::sort(project.scripts.begin(), project.scripts.end());
  project.about = read_about(*metadata);
  const std::vector<std::string> dynamic = metadata->strings_or_empty("dynamic");
  read_build_system(document, project, std::find(dynamic.begin(), dynamic.end(), "version") != dynamic.end());
  if (const Value* veneer = document.table_or_empty("tool").find("veneer")) read_veneer(*veneer, project);
  return project;
}

Project read_project(const std::filesystem::path& folder) {
  const std::filesystem::path absolute = real_path(folder);
  const std::filesystem::path path = absolute / "pyproject.toml";
  const auto text = read_text_file_if_exists(path, largest_pyproject);
  if (!text) {
    throw Error(ErrorKind::not_found, "there is no pyproject.toml in " + printable(absolute.native()),
                "run veneer in the folder of a Python project, or name the folder");
  }
  return in_context([&] { return "reading " + printable(path.native()); },
                    [&] { return parse_project(*text, absolute); });
}

std::vector<PackageIndex> read_indexes(const std::filesystem::path& folder) {
  const std::optional<Value> uv = uv_table(folder);
  return uv ? indexes_of(*uv) : std::vector<PackageIndex>();
}

Registries read_registry_settings(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "pyproject.toml";
  const auto text = read_text_file_if_exists(path, largest_pyproject);
  if (!text) return {};
  return in_context([&] { return "reading " + printable(path.native()); },
                    [&] {
                      const Value document = parse_toml(*text);
                      const Value* registries =
                          document.table_or_empty("tool").table_or_empty("veneer").find("registries");
                      return registries != nullptr ? registries_of(*registries, folder) : Registries();
                    });
}

std::optional<std::vector<std::string>> read_default_groups(const std::filesystem::path& folder) {
  const std::optional<Value> uv = uv_table(folder);
  const Value* groups = uv ? uv->find("default-groups") : nullptr;
  if (groups == nullptr) return std::vector<std::string>{"dev"};
  return in_context([&] { return "reading " + printable((folder / "pyproject.toml").native()); },
                    [&]() -> std::optional<std::vector<std::string>> {
                      if (!groups->is_string()) return normalised_names(uv->strings_or_empty("default-groups"));
                      if (groups->string() == "all") return std::nullopt;
                      throw Error(ErrorKind::refused, "default-groups is neither a list nor \"all\"");
                    });
}

std::filesystem::path find_lock(const std::filesystem::path& folder) {
  const std::filesystem::path start = real_path(folder);
  for (std::filesystem::path place = start;; place = place.parent_path()) {
    if (place == start || is_workspace_root(place)) {
      std::filesystem::path lock = place / "uv.lock";
      if (std::filesystem::is_regular_file(lock)) return lock;
    }
    if (!place.has_relative_path()) break;
  }
  throw Error(ErrorKind::not_found, "there is no uv.lock for the project in " + printable(start.native()),
              "run: uv lock");
}

}  // namespace veneer::python
