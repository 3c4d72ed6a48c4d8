#include "python/lock/pylock.hh"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "foundation/toml.hh"
#include "python/lock/choose_file.hh"
#include "python/lock/location.hh"
#include "python/lock/needed.hh"
#include "python/name.hh"
#include "python/specifier.hh"
#include "python/tag.hh"
#include "python/version.hh"

namespace veneer::python {

namespace {

void check_version(const Value& document) {
  const auto version = Version::parse(document.at("lock-version").string());
  if (!version) refuse("lock-version is no version");
  if (version->release[0] != 1 || version->epoch != 0) {
    refuse(fmt::format("lock-version {} is not supported, only 1.x", version->text()), "update veneer");
  }
}

std::vector<Marker> markers(const Value& table, std::string_view key) {
  std::vector<Marker> result;
  for (const std::string& text : table.strings_or_empty(key)) result.push_back(Marker::parse(text));
  return result;
}

std::vector<std::string> names(const Value& table, std::string_view key) {
  return normalised_names(table.strings_or_empty(key));
}

/// Where a file or archive is: `path` or `url`.
std::string location(const Value& table) {
  if (const Value* path = table.find("path")) return path->string();
  return table.at("url").string();
}

LockFile read_file(const Value& table) {
  LockFile file;
  file.location = without_fragment(location(table));
  file.name = table.string_or("name", file_name_of(file.location));
  if (const Value* size = table.find("size")) {
    if (size->integer() < 0) refuse("a file's size is negative");
    file.size = static_cast<std::uint64_t>(size->integer());
  }
  const Value& hashes = table.at("hashes");
  if (hashes.table().empty()) return file;  // uv writes this where the index gave none
  const Value* sha256 = hashes.find("sha256");
  const auto& [algorithm, value] = hashes.table().front();
  file.hash = sha256 != nullptr ? "sha256:" + sha256->string() : algorithm + ":" + value.string();
  return file;
}

LockSource vcs_source(const Value& table) {
  if (const std::string& type = table.at("type").string(); type != "git") {
    refuse(fmt::format("the version control system {} is not supported, only git", printable(type)));
  }
  LockSource source;
  source.kind = LockSource::Kind::git;
  source.location = location(table);
  source.commit = table.at("commit-id").string();
  source.subdirectory = table.string_or("subdirectory", "");
  return source;
}

LockSource directory_source(const Value& table) {
  LockSource source;
  source.kind = table.boolean_or("editable", false) ? LockSource::Kind::editable : LockSource::Kind::directory;
  source.location = table.at("path").string();
  const std::string subdirectory = table.string_or("subdirectory", "");
  if (!subdirectory.empty()) source.location = join_location(source.location, subdirectory);
  return source;
}

void read_archive(const Value& table, LockPackage& package) {
  package.source.kind = table.find("path") != nullptr ? LockSource::Kind::path : LockSource::Kind::url;
  package.source.location = location(table);
  package.source.subdirectory = table.string_or("subdirectory", "");
  LockFile file = read_file(table);
  if (file.name.ends_with(".whl")) {
    package.wheels = LockWheels({std::move(file)});
  } else {
    package.sdist = std::move(file);
  }
}

PylockPackage read_package(const Value& table) {
  PylockPackage result;
  LockPackage& package = result.package;
  package.name = normalised_name(table.at("name").string());
  if (!is_valid_name(package.name)) refuse("the name is malformed");
  package.version = table.string_or("version", "");
  if (const Value* marker = table.find("marker")) result.marker = Marker::parse(marker->string());
  result.requires_python = table.string_or("requires-python", "");
  const Value* vcs = table.find("vcs");
  const Value* directory = table.find("directory");
  const Value* archive = table.find("archive");
  const bool has_files = table.find("sdist") != nullptr || table.find("wheels") != nullptr;
  const int sources = (vcs != nullptr) + (directory != nullptr) + (archive != nullptr) + (has_files ? 1 : 0);
  if (sources != 1) {
    refuse(sources == 0 ? "it has no vcs, directory, archive, sdist or wheels"
                        : "it has more than one of vcs, directory, archive and files");
  }
  if (vcs != nullptr) {
    package.source = vcs_source(*vcs);
  } else if (directory != nullptr) {
    package.source = directory_source(*directory);
  } else if (archive != nullptr) {
    read_archive(*archive, package);
  } else {
    package.source.location = table.string_or("index", "");
    if (const Value* sdist = table.find("sdist")) package.sdist = read_file(*sdist);
    std::vector<LockFile> wheels;
    for (const Value& wheel : table.array_or_empty("wheels")) wheels.push_back(read_file(wheel));
    package.wheels = LockWheels(std::move(wheels));
  }
  return result;
}

MarkerEnvironment environment_for(const Pylock& lock, const Target& target, const SelectOptions& options) {
  MarkerEnvironment environment = environment_of(target);
  const auto& extras = options.extra_choice == ExtraChoice::all ? lock.extras : options.extras;
  for (const std::string& extra : extras) {
    if (!contains(lock.extras, extra)) {
      throw Error(ErrorKind::not_found, fmt::format("the file has no extra \"{}\"", printable(extra)));
    }
    environment.extras.insert(extra);
  }
  if (options.group_choice == GroupChoice::all) environment.groups.insert(lock.groups.begin(), lock.groups.end());
  for (const std::string& group : options.groups) {
    if (!contains(lock.groups, group) && !contains(lock.default_groups, group)) {
      throw Error(ErrorKind::not_found, fmt::format("the file has no dependency group \"{}\"", printable(group)));
    }
    environment.groups.insert(group);
  }
  if (options.project_choice == ProjectChoice::with_groups) {
    environment.groups.insert(lock.default_groups.begin(), lock.default_groups.end());
  }
  for (const std::string& group : options.default_groups) {
    if (contains(lock.groups, group)) environment.groups.insert(group);
  }
  for (const std::string& group : options.excluded_groups) environment.groups.erase(group);
  return environment;
}

}  // namespace

bool is_pylock_name(std::string_view file_name) {
  constexpr std::string_view start = "pylock.";
  constexpr std::string_view end = ".toml";
  if (file_name == "pylock.toml") return true;
  if (!file_name.starts_with(start) || !file_name.ends_with(end) || file_name.size() <= start.size() + end.size()) {
    return false;
  }
  return file_name.substr(start.size(), file_name.size() - start.size() - end.size()).find('.') ==
         std::string_view::npos;
}

Pylock parse_pylock(std::string_view text) {
  const Value document = parse_toml(text);
  check_version(document);
  Pylock lock;
  document.at("created-by").string();
  lock.requires_python = document.string_or("requires-python", "");
  lock.environments = markers(document, "environments");
  lock.extras = names(document, "extras");
  lock.groups = names(document, "dependency-groups");
  lock.default_groups = names(document, "default-groups");
  std::size_t number = 0;
  for (const Value& table : document.at("packages").array()) {
    ++number;
    lock.packages.push_back(in_context(
        [&] {
          const Value* name = table.is_table() ? table.find("name") : nullptr;
          return name != nullptr && name->is_string() ? "package " + printable(name->string())
                                                      : fmt::format("package {}", number);
        },
        [&] { return read_package(table); }));
  }
  return lock;
}

Selection select(const Pylock& lock, const Target& target, const SelectOptions& options) {
  if (!options.packages.empty() || options.member_choice == MemberChoice::all) {
    refuse("a pylock.toml does not know the members of a workspace");
  }
  if (!allows_python(lock.requires_python, target.full_version)) {
    refuse(fmt::format("Python {} is outside the lock's requires-python, \"{}\"", target.full_version,
                       printable(lock.requires_python)),
           "choose a base image or an interpreter that fits");
  }
  const MarkerEnvironment environment = environment_for(lock, target, options);
  if (!lock.environments.empty() &&
      std::none_of(lock.environments.begin(), lock.environments.end(),
                   [&](const Marker& marker) { return marker.evaluate(environment) == Truth::yes; })) {
    refuse(fmt::format("the environment (Python {}, linux, {}) is outside those that the lock supports",
                       target.full_version, target.machine));
  }
  const TagRanks ranks(target);
  Selection selection;
  std::set<std::string> taken;
  for (const PylockPackage& entry : lock.packages) {
    const std::string& name = entry.package.name;
    if (!is_needed(entry.marker, environment, name)) continue;
    in_context([&] { return "package " + printable(name); },
               [&] {
                 if (!allows_python(entry.requires_python, target.full_version)) {
                   refuse(fmt::format("Python {} is outside its requires-python, \"{}\"", target.full_version,
                                      printable(entry.requires_python)));
                 }
                 if (!taken.insert(name).second) refuse("the lock lists it twice for this environment");
                 if (auto chosen = choose_file(entry.package, ranks)) {
                   const bool is_folder = chosen->kind == PackageKind::tree;
                   chosen->is_project = is_folder && is_own_folder(chosen->location, chosen->editable);
                   selection.packages.push_back(std::move(*chosen));
                 } else {
                   selection.unusable.push_back(name);
                 }
               });
  }
  sort_by_name(selection.packages);
  std::sort(selection.unusable.begin(), selection.unusable.end());
  return selection;
}

}  // namespace veneer::python
