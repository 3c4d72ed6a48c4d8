#include "python/lock/uv_lock.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "foundation/error.hh"
#include "foundation/toml.hh"
#include "python/lock/location.hh"
#include "python/name.hh"

namespace veneer::python {

namespace {

constexpr std::int64_t known_version = 1;

LockSource read_source(const Value& table) {
  struct Named {
    std::string_view key;
    LockSource::Kind kind;
  };
  constexpr std::array kinds = {Named{"registry", LockSource::Kind::registry},
                                Named{"url", LockSource::Kind::url},
                                Named{"git", LockSource::Kind::git},
                                Named{"path", LockSource::Kind::path},
                                Named{"directory", LockSource::Kind::directory},
                                Named{"editable", LockSource::Kind::editable},
                                Named{"virtual", LockSource::Kind::virtual_folder}};
  for (const Named& named : kinds) {
    const Value* location = table.find(named.key);
    if (location == nullptr) continue;
    LockSource source;
    source.kind = named.kind;
    source.location = location->string();
    source.subdirectory = table.string_or("subdirectory", "");
    if (source.kind == LockSource::Kind::git) {
      const GitLocation git = split_git_location(source.location);
      source.location = git.repository;
      source.commit = git.commit;
      source.subdirectory = git.subdirectory;
    }
    return source;
  }
  std::string keys;
  for (const auto& [key, value] : table.table()) keys += (keys.empty() ? "" : ", ") + key;
  throw Error(ErrorKind::refused, fmt::format("the source has none of the known kinds, but: {}", printable(keys)),
              "a newer uv may have written this lock; update veneer");
}

class LockReader {
 public:
  Lock read(std::string_view text) {
    const Value document = parse_toml(text);
    const Value* version = document.find("version");
    if (version == nullptr || !version->is_integer()) {
      throw Error(ErrorKind::refused, "this is no uv.lock: it has no version");
    }
    if (version->integer() != known_version) {
      throw Error(ErrorKind::refused,
                  fmt::format("version {} of uv.lock is not supported, only {}", version->integer(), known_version),
                  version->integer() > known_version ? "update veneer, or lock with an older uv" : "run: uv lock");
    }
    if (const Value* revision = document.find("revision")) lock_.revision = revision->integer();
    lock_.requires_python = document.at("requires-python").string();
    lock_.supported_environments = markers(document, "supported-markers");
    lock_.required_environments = markers(document, "required-markers");
    for (const Value& set : document.array_or_empty("conflicts")) read_conflict(set);
    lock_.options = document.table_or_empty("options");
    read_packages(document.array_or_empty("package"));
    read_manifest(document.table_or_empty("manifest"));
    return std::move(lock_);
  }

 private:
  Marker marker(const std::string& text) {
    const auto known = markers_.find(text);
    if (known != markers_.end()) return known->second;
    Marker parsed = Marker::parse(text);
    for (const std::string& extra : parsed.texts_compared_with(MarkerVariable::extra)) check_encoded(extra);
    return markers_.emplace(text, std::move(parsed)).first->second;
  }

  /// Extras in the markers of a lock are encoded conflict items: a length that does not fit is a forgery or a bug.
  static void check_encoded(std::string_view text) {
    for (const std::string_view prefix : {"extra-", "group-", "project-"}) {
      if (!text.starts_with(prefix)) continue;
      const std::string_view rest = text.substr(prefix.size());
      std::size_t length = 0;
      const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), length);
      const std::size_t digits = static_cast<std::size_t>(end - rest.data());
      const bool is_project = prefix == "project-";
      if (error == std::errc() && length > 0 && rest.size() > digits && rest[digits] == '-') {
        const std::string_view names = rest.substr(digits + 1);
        if (is_project ? names.size() == length : names.size() > length + 1 && names[length] == '-') return;
      }
      throw Error(ErrorKind::refused, fmt::format("a marker has the malformed conflict \"{}\"", printable(text)));
    }
  }

  std::vector<Marker> markers(const Value& table, std::string_view key) {
    std::vector<Marker> result;
    for (const std::string& text : table.strings_or_empty(key)) result.push_back(marker(text));
    return result;
  }

  Marker optional_marker(const Value& table) {
    const Value* text = table.find("marker");
    return text == nullptr ? Marker() : marker(text->string());
  }

  void read_conflict(const Value& set) {
    std::vector<ConflictItem> items;
    for (const Value& value : set.array()) {
      ConflictItem item;
      item.package = normalised_name(value.at("package").string());
      if (const Value* extra = value.find("extra")) {
        item.kind = ConflictItem::Kind::extra;
        item.name = normalised_name(extra->string());
      } else if (const Value* group = value.find("group")) {
        item.kind = ConflictItem::Kind::group;
        item.name = normalised_name(group->string());
      }
      items.push_back(std::move(item));
    }
    lock_.conflicts.push_back(std::move(items));
  }

  void read_packages(const Value::Array& tables) {
    lock_.packages.reserve(tables.size());
    for (const Value& table : tables) {
      LockPackage package;
      package.name = table.at("name").string();
      in_context([&] { return "package " + printable(package.name); },
                 [&] {
                   if (!is_valid_name(package.name) || normalised_name(package.name) != package.name) {
                     throw Error(ErrorKind::refused, "the name is not in normal form");
                   }
                   package.version = table.string_or("version", "");
                   package.source = read_source(table.at("source"));
                   package.resolution_markers = markers(table, "resolution-markers");
                   if (const Value* sdist = table.find("sdist")) package.sdist = read_file(*sdist, package.source);
                   for (const Value& wheel : table.array_or_empty("wheels")) {
                     package.wheels.push_back(read_file(wheel, package.source));
                   }
                   read_metadata(table, package);
                 });
      by_name_[package.name].push_back(lock_.packages.size());
      lock_.packages.push_back(std::move(package));
    }
    for (std::size_t i = 0; i < tables.size(); ++i) {
      LockPackage& package = lock_.packages[i];
      in_context([&] { return "package " + printable(package.name); },
                 [&] {
                   package.dependencies = dependencies(tables[i].array_or_empty("dependencies"));
                   package.optional_dependencies = dependency_table(tables[i], "optional-dependencies");
                   package.groups = dependency_table(tables[i], "dev-dependencies");
                   if (package.groups.empty()) package.groups = dependency_table(tables[i], "dependency-groups");
                 });
    }
  }

  static void read_metadata(const Value& table, LockPackage& package) {
    const Value& metadata = table.table_or_empty("metadata");
    package.metadata = metadata;
    package.provided_extras = normalised_names(metadata.strings_or_empty("provides-extras"));
    for (const std::string_view key : {"requires-dev", "dependency-groups"}) {
      for (const auto& [name, requirements] : metadata.table_or_empty(key).table()) {
        package.declared_groups.push_back(normalised_name(name));
      }
    }
  }

  static LockFile read_file(const Value& table, const LockSource& source) {
    LockFile file;
    file.hash = table.string_or("hash", "");
    if (const Value* size = table.find("size")) {
      if (size->integer() < 0) throw Error(ErrorKind::refused, "a file's size is negative");
      file.size = static_cast<std::uint64_t>(size->integer());
    }
    if (const Value* url = table.find("url")) {
      file.location = without_fragment(url->string());
    } else if (const Value* path = table.find("path")) {
      file.location =
          source.kind == LockSource::Kind::registry ? join_location(source.location, path->string()) : path->string();
    } else {
      // A direct URL or path: the source itself says where.
      file.location = without_fragment(source.location);
      file.name = table.string_or("filename", "");
    }
    if (file.name.empty()) file.name = file_name_of(file.location);
    return file;
  }

  LockDependencies dependencies(const Value::Array& tables) {
    LockDependencies result;
    result.reserve(tables.size());
    for (const Value& table : tables) {
      LockDependency dependency;
      dependency.package = find_dependency(table);
      dependency.extras = normalised_names(table.strings_or_empty("extra"));
      dependency.marker = optional_marker(table);
      result.push_back(std::move(dependency));
    }
    return result;
  }

  std::map<std::string, LockDependencies> dependency_table(const Value& table, std::string_view key) {
    std::map<std::string, LockDependencies> result;
    for (const auto& [name, list] : table.table_or_empty(key).table()) {
      result[normalised_name(name)] = dependencies(list.array());
    }
    return result;
  }

  std::size_t find_dependency(const Value& table) {
    const std::string name = normalised_name(table.at("name").string());
    const auto named = by_name_.find(name);
    if (named == by_name_.end()) {
      throw Error(ErrorKind::refused, fmt::format("it depends on {}, which the lock does not have", printable(name)),
                  "run: uv lock");
    }
    if (named->second.size() == 1) return named->second.front();
    const Value* version = table.find("version");
    const Value* source = table.find("source");
    std::optional<LockSource> wanted;
    if (source != nullptr) wanted = read_source(*source);
    std::optional<std::size_t> found;
    for (const std::size_t index : named->second) {
      const LockPackage& package = lock_.packages[index];
      if (version != nullptr && version->string() != package.version) continue;
      if (wanted && *wanted != package.source) continue;
      if (found) {
        throw Error(ErrorKind::refused,
                    fmt::format("it depends on {}, which the lock has more than once", printable(name)),
                    "run: uv lock");
      }
      found = index;
    }
    if (!found) {
      throw Error(ErrorKind::refused,
                  fmt::format("it depends on a version or source of {} that the lock does not have", printable(name)),
                  "run: uv lock");
    }
    return *found;
  }

  ManifestRequirement manifest_requirement(const Value& table) {
    ManifestRequirement result;
    result.name = normalised_name(table.at("name").string());
    result.extras = normalised_names(table.strings_or_empty("extras"));
    result.marker = optional_marker(table);
    return result;
  }

  void read_manifest(const Value& manifest) {
    lock_.manifest = manifest;
    lock_.members = normalised_names(manifest.strings_or_empty("members"));
    for (const Value& table : manifest.array_or_empty("requirements")) {
      lock_.requirements.push_back(manifest_requirement(table));
    }
    for (const auto& [name, list] : manifest.table_or_empty("dependency-groups").table()) {
      std::vector<ManifestRequirement>& group = lock_.groups[normalised_name(name)];
      for (const Value& table : list.array()) group.push_back(manifest_requirement(table));
    }
  }

  Lock lock_;
  std::unordered_map<std::string, Marker> markers_;  // one parse for each text
  std::unordered_map<std::string, std::vector<std::size_t>> by_name_;
};

}  // namespace

std::string ConflictItem::encoded() const {
  switch (kind) {
    case Kind::project: return fmt::format("project-{}-{}", package.size(), package);
    case Kind::extra: return fmt::format("extra-{}-{}-{}", package.size(), package, name);
    case Kind::group: return fmt::format("group-{}-{}-{}", package.size(), package, name);
  }
  return {};
}

std::vector<std::size_t> Lock::find(std::string_view name) const {
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < packages.size(); ++i) {
    if (packages[i].name == name) result.push_back(i);
  }
  return result;
}

std::optional<std::size_t> Lock::root() const {
  for (std::size_t i = 0; i < packages.size(); ++i) {
    const LockSource& source = packages[i].source;
    const bool is_folder = source.kind == LockSource::Kind::editable || source.kind == LockSource::Kind::virtual_folder;
    if (is_folder && (source.location == "." || source.location.empty())) return i;
  }
  return std::nullopt;
}

Lock parse_uv_lock(std::string_view text) { return LockReader().read(text); }

}  // namespace veneer::python
