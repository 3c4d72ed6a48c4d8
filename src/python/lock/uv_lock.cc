#include "python/lock/uv_lock.hh"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <unordered_map>

#include "foundation/error.hh"
#include "foundation/toml.hh"
#include "python/lock/lock_markers.hh"
#include "python/lock/uv_lock_package.hh"
#include "python/name.hh"

namespace veneer::python {

namespace {

constexpr std::int64_t known_version = 1;

class LockReader {
 public:
  Lock read(std::string_view text, KnownPackages* known) {
    if (known != nullptr) {
      if (auto pieces = read_lock_pieces(text, *known)) {
        read_head(pieces->head);
        return finish(pieces->head, std::move(pieces->packages));
      }
    }
    const auto document = std::make_shared<const Value>(parse_toml(text));
    read_head(*document);
    std::vector<std::shared_ptr<const PackageTable>> packages;
    for (const Value& table : document->array_or_empty("package")) {
      packages.push_back(std::make_shared<const PackageTable>(
          read_package_table(std::shared_ptr<const Value>(document, &table), markers_)));
    }
    return finish(*document, std::move(packages));
  }

 private:
  void read_head(const Value& document) {
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
    lock_.supported_environments = markers_.list(document, "supported-markers");
    lock_.required_environments = markers_.list(document, "required-markers");
    for (const Value& set : document.array_or_empty("conflicts")) read_conflict(set);
    lock_.options = document.table_or_empty("options");
  }

  Lock finish(const Value& document, std::vector<std::shared_ptr<const PackageTable>> packages) {
    read_packages(packages);
    read_manifest(document.table_or_empty("manifest"));
    return std::move(lock_);
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

  void read_packages(const std::vector<std::shared_ptr<const PackageTable>>& read) {
    lock_.packages.reserve(read.size());
    for (const auto& one : read) {
      by_name_[one->package.name].push_back(lock_.packages.size());
      lock_.packages.push_back(one->package);
    }
    for (std::size_t i = 0; i < read.size(); ++i) {
      LockPackage& package = lock_.packages[i];
      const Value& table = *read[i]->table;
      in_context([&] { return "package " + printable(package.name); },
                 [&] {
                   package.dependencies = dependencies(table.array_or_empty("dependencies"));
                   package.optional_dependencies = dependency_table(table, "optional-dependencies");
                   package.groups = dependency_table(table, "dev-dependencies");
                   if (package.groups.empty()) package.groups = dependency_table(table, "dependency-groups");
                 });
    }
  }

  LockDependencies dependencies(const Value::Array& tables) {
    LockDependencies result;
    result.reserve(tables.size());
    for (const Value& table : tables) {
      LockDependency dependency;
      dependency.package = find_dependency(table);
      dependency.extras = normalised_names(table.strings_or_empty("extra"));
      dependency.marker = markers_.of(table);
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
    if (source != nullptr) wanted = read_lock_source(*source);
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
    result.marker = markers_.of(table);
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
  LockMarkers markers_;
  std::unordered_map<std::string, std::vector<std::size_t>> by_name_;
};

}  // namespace

LockWheels::LockWheels(std::vector<LockFile> files) {
  std::vector<LockWheel> wheels;
  wheels.reserve(files.size());
  for (LockFile& file : files) {
    auto tags = read_wheel_tags(file.name);
    wheels.push_back({std::move(file), std::move(tags)});
  }
  wheels_ = std::make_shared<const std::vector<LockWheel>>(std::move(wheels));
}

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

Lock parse_uv_lock(std::string_view text, KnownPackages* known) { return LockReader().read(text, known); }

}  // namespace veneer::python
