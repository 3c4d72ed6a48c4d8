#include "python/lock/stale.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "python/lock/choose_file.hh"
#include "python/lock/declared.hh"
#include "python/lock/own_extras.hh"
#include "python/lock/stale_settings.hh"
#include "python/name.hh"
#include "python/requirement.hh"

namespace veneer::python {

namespace {

std::vector<std::string> sorted_names(const std::vector<std::string>& names) {
  std::vector<std::string> result = normalised_names(names);
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

const Value& uv_of(const Value& document) { return document.table_or_empty("tool").table_or_empty("uv"); }

/// Of strings alone; tables in them are passed over.
std::vector<std::string> texts_in(const Value& table, std::string_view key) {
  std::vector<std::string> texts;
  for (const Value& item : table.array_or_empty(key)) {
    if (item.is_string()) texts.push_back(item.string());
  }
  return texts;
}

bool is_folder(const LockSource& source) {
  return source.kind == LockSource::Kind::editable || source.kind == LockSource::Kind::virtual_folder ||
         source.kind == LockSource::Kind::directory;
}

class Comparison {
 public:
  Comparison(const Lock& lock, const LockSurroundings& surroundings) : lock_(lock), surroundings_(surroundings) {}

  LockAge run(const std::string& project, const std::vector<std::string>& groups) {
    const auto root = surroundings_.project(".");
    if (!root) {
      age_.not_compared.push_back(
          "there is no pyproject.toml beside the lock, so whether it is up to date is not known");
      return std::move(age_);
    }
    root_ = *root;
    find_members();
    compare_members();
    compare_python();
    compare_settings();
    for (std::size_t i = 0; i < lock_.packages.size(); ++i) {
      if (is_folder(lock_.packages[i].source)) compare_package(i, lock_.packages[i].name == project ? groups : none_);
    }
    return std::move(age_);
  }

 private:
  void differ(std::string sentence) { age_.differences.push_back(std::move(sentence)); }

  void find_members() {
    const Value& uv = uv_of(root_);
    add_member(".", root_);
    if (const Value* workspace = uv.find("workspace")) {
      const auto folders =
          surroundings_.folders(workspace->strings_or_empty("members"), workspace->strings_or_empty("exclude"));
      for (const std::string& folder : folders) {
        if (const auto document = surroundings_.project(folder)) add_member(folder, *document);
      }
    }
    for (const Value& index : settings().array_or_empty("index")) {
      if (const std::string name = index.string_or("name", ""); !name.empty()) {
        scope_.index_urls[name] = index.string_or("url", "");
      }
    }
    scope_.of_workspace = &uv.table_or_empty("sources");
  }

  void add_member(const std::string& folder, const Value& document) {
    const Value* project = document.find("project");
    if (project == nullptr || !uv_of(document).boolean_or("managed", true)) return;
    const std::string name = normalised_name(project->string_or("name", ""));
    scope_.members[name] = folder;
    members_[name] = document;
  }

  void compare_members() {
    std::set<std::string> locked(lock_.members.begin(), lock_.members.end());
    if (const auto root = lock_.root(); locked.empty() && root) locked.insert(lock_.packages[*root].name);
    for (const auto& [name, folder] : scope_.members) {
      if (!locked.contains(name))
        differ(fmt::format("{} is a member of the workspace and not in the lock", printable(name)));
    }
    for (const std::string& name : locked) {
      if (!scope_.members.contains(name)) {
        differ(fmt::format("the lock has the member {}, the workspace does not", printable(name)));
      }
    }
  }

  void compare_python() {
    std::vector<std::string> declared;
    for (const auto& [name, document] : members_) {
      const std::string text = document.at("project").string_or("requires-python", "");
      if (!text.empty()) declared.push_back(text);
    }
    if (declared.empty() || same_python_bounds(declared, lock_.requires_python)) return;
    differ(fmt::format("requires-python is \"{}\", in the lock \"{}\"",
                       printable(fmt::format("{}", fmt::join(declared, "\" and \""))),
                       printable(lock_.requires_python)));
  }

  const Value& settings() const { return surroundings_.uv_settings ? *surroundings_.uv_settings : uv_of(root_); }

  /// What the project does not say, the user's own settings do.
  Value settings_with_users() const {
    Value all = settings();
    if (!surroundings_.user_settings) return all;
    for (const auto& [key, value] : surroundings_.user_settings->table()) {
      if (all.find(key) == nullptr) all.set(key, value);
    }
    return all;
  }

  void compare_settings() {
    struct Kind {
      std::string_view setting;
      std::string_view key;
      std::string_view title;
    };
    constexpr std::array kinds = {Kind{"constraint-dependencies", "constraints", "constraint"},
                                  Kind{"override-dependencies", "overrides", "override"},
                                  Kind{"build-constraint-dependencies", "build-constraints", "build constraint"}};
    SourceScope scope = scope_;
    scope.folder = ".";
    for (const Kind& kind : kinds) {
      std::vector<DeclaredRequirement> declared = declared_in(texts_in(settings(), kind.setting), scope);
      const std::vector<DeclaredRequirement> locked = declared_in_lock(lock_.manifest.array_or_empty(kind.key));
      // A new one upon what the lock does not have changes nothing, but for builds, which are not locked.
      if (kind.key != "build-constraints") {
        std::erase_if(declared, [&](const DeclaredRequirement& one) {
          return lock_.find(one.name).empty() &&
                 std::none_of(locked.begin(), locked.end(), [&](const auto& other) { return other.name == one.name; });
        });
      }
      compare(fmt::format("{}: ", kind.title), declared, locked);
    }
    const std::vector<std::string> excluded = sorted_names(texts_in(settings(), "exclude-dependencies"));
    if (excluded != sorted_names(texts_in(lock_.manifest, "excludes"))) {
      differ(fmt::format("exclude-dependencies are {} in pyproject.toml, others in the lock",
                         printable(fmt::format("{}", fmt::join(excluded, ", ")))));
    }
    const auto markers = [](const std::vector<std::string>& texts) {
      std::vector<Marker> result;
      for (const std::string& text : texts) result.push_back(Marker::parse(text));
      return result;
    };
    const auto texts_of = [&](std::string_view key) {
      const Value* value = settings().find(key);
      return value != nullptr && value->is_string() ? std::vector<std::string>{value->string()}
                                                    : texts_in(settings(), key);
    };
    if (!mean_the_same(markers(texts_of("environments")), lock_.supported_environments, lock_.requires_python)) {
      differ("environments of [tool.uv] are others than in the lock");
    }
    if (!mean_the_same(markers(texts_of("required-environments")), lock_.required_environments,
                       lock_.requires_python)) {
      differ("required-environments of [tool.uv] are others than in the lock");
    }
    OptionDifferences options = differing_options(settings_with_users(), lock_.options);
    for (std::string& text : options.contrary) differ(std::move(text));
    for (const std::string& text : options.unsaid) {
      age_.not_compared.push_back(fmt::format(
          "{}: it was given to `uv lock`, or taken out of [tool.uv] since; the lock is taken as it stands", text));
    }
    for (std::string& text : differing_conflicts(members_, lock_.conflicts)) differ(std::move(text));
  }

  void compare(const std::string& where, const std::vector<DeclaredRequirement>& declared,
               const std::vector<DeclaredRequirement>& locked) {
    for (const std::string& difference : differences(declared, locked, lock_.requires_python))
      differ(where + difference);
  }

  void compare_package(std::size_t index, const std::vector<std::string>& groups) {
    const LockPackage& package = lock_.packages[index];
    const bool is_member = is_workspace_member(lock_, index);
    const auto document = surroundings_.project(package.source.location);
    if (!document) return;  // its build says it, if it is needed
    const std::string name = printable(package.name);
    const std::string where = lock_.root() == index ? "" : name + ": ";
    const Value* project = document->find("project");
    if (project == nullptr) {
      age_.not_compared.push_back(
          fmt::format("{} has no [project] table, so what it asks for is not compared with the lock", name));
      return;
    }
    if (is_member) compare_kind(package, *document);
    const std::vector<std::string> dynamic = project->strings_or_empty("dynamic");
    std::string left_out;
    for (const char* key : {"dependencies", "optional-dependencies"}) {
      if (contains(dynamic, key)) left_out += (left_out.empty() ? "" : " and ") + std::string(key);
    }
    if (!left_out.empty()) {
      age_.not_compared.push_back(
          fmt::format("the {} of {} are dynamic, so they are not compared with the lock", left_out, name));
    }
    SourceScope scope = scope_;
    scope.folder = package.source.location.empty() ? "." : package.source.location;
    scope.own = &uv_of(*document).table_or_empty("sources");
    if (!is_member) scope.of_workspace = nullptr;
    if (left_out.empty()) compare_dependencies(package, *project, scope, where);
    for (const std::string& group : groups) compare_group(package, *document, group, scope, where);
  }

  /// A project that became a package, or no longer is one.
  void compare_kind(const LockPackage& package, const Value& document) {
    const Value* said = uv_of(document).find("package");
    const bool has_build = document.find("build-system") != nullptr;
    const bool is_virtual = package.source.kind == LockSource::Kind::virtual_folder;
    const std::string name = printable(package.name);
    const bool is_package = said != nullptr && said->is_boolean() ? said->boolean() : has_build;
    if (is_virtual && is_package) differ(fmt::format("{} is a package, in the lock it is none", name));
    // A member without a build system that others depend on is one all the same.
    const bool must_not = said != nullptr ? !is_package : !is_package && lock_.members.empty();
    if (!is_virtual && must_not) differ(fmt::format("{} is no package, in the lock it is one", name));
  }

  void compare_dependencies(const LockPackage& package, const Value& project, const SourceScope& scope,
                            const std::string& where) {
    DeclaredByExtra declared;
    declared[""] = declared_in(texts_in(project, "dependencies"), scope);
    std::vector<std::string> extras;
    for (const auto& [key, list] : project.table_or_empty("optional-dependencies").table()) {
      const std::string extra = normalised_name(key);
      extras.push_back(extra);
      for (DeclaredRequirement& one : declared_in(texts_in(project.at("optional-dependencies"), key), scope, extra)) {
        declared[extra].push_back(std::move(one));
      }
    }
    const std::vector<DeclaredRequirement> locked = declared_in_lock(package.metadata.array_or_empty("requires-dist"));
    const bool names_itself =
        std::any_of(locked.begin(), locked.end(), [&](const auto& one) { return one.name == package.name; });
    compare(where, names_itself ? as_declared(declared) : without_own_extras(declared, package.name), locked);
    const std::vector<std::string> ours = sorted_names(extras);
    const std::vector<std::string> theirs = sorted_names(package.provided_extras);
    if (lock_.revision < 1) return;  // did not list those without dependencies
    for (const std::string& extra : ours) {
      if (!contains(theirs, extra)) differ(fmt::format("{}the extra {} is not in the lock", where, printable(extra)));
    }
    for (const std::string& extra : theirs) {
      if (!contains(ours, extra)) {
        differ(fmt::format("{}the lock has the extra {}, pyproject.toml does not", where, printable(extra)));
      }
    }
  }

  /// A group that does not exist at all is said where it is selected.
  void compare_group(const LockPackage& package, const Value& document, const std::string& group,
                     const SourceScope& scope, const std::string& where) {
    const auto texts = texts_of_group(document, group, 0);
    if (!texts) return;
    const Value& locked = package.metadata.table_or_empty("requires-dev");
    Value::Array rows;
    for (const auto& [key, list] : locked.table()) {
      if (normalised_name(key) == group) rows = list.array();
    }
    compare(fmt::format("{}group {}: ", where, printable(group)), declared_in(*texts, scope, {}, group),
            declared_in_lock(rows));
  }

  /// With those that it includes.
  std::optional<std::vector<std::string>> texts_of_group(const Value& document, const std::string& group,
                                                         int depth) const {
    constexpr int deepest = 30;
    std::optional<std::vector<std::string>> texts;
    const auto add = [&](const std::vector<std::string>& more) {
      if (!texts) texts.emplace();
      texts->insert(texts->end(), more.begin(), more.end());
    };
    if (group == "dev" && uv_of(document).find("dev-dependencies") != nullptr)
      add(texts_in(uv_of(document), "dev-dependencies"));
    const Value& groups = document.table_or_empty("dependency-groups");
    for (const auto& [key, list] : groups.table()) {
      if (normalised_name(key) != group || depth > deepest) continue;
      add(texts_in(groups, key));
      for (const Value& item : list.array()) {
        if (!item.is_table()) continue;
        if (auto more = texts_of_group(document, normalised_name(item.string_or("include-group", "")), depth + 1))
          add(*more);
      }
    }
    return texts;
  }

  const Lock& lock_;
  const LockSurroundings& surroundings_;
  Value root_;
  SourceScope scope_;
  std::map<std::string, Value> members_;  // pyproject.toml by name
  std::vector<std::string> none_;
  LockAge age_;
};

}  // namespace

LockAge compare_with_projects(const Lock& lock, const LockSurroundings& surroundings, const std::string& project,
                              const std::vector<std::string>& groups) {
  return Comparison(lock, surroundings).run(project, groups);
}

std::vector<std::string> unmet_requirements(const Value& document, const Selection& selection, const Target& target,
                                            const std::vector<std::string>& extras) {
  const Value& project = document.table_or_empty("project");
  std::vector<std::string> texts = texts_in(project, "dependencies");
  for (const auto& [key, list] : project.table_or_empty("optional-dependencies").table()) {
    if (!contains(extras, normalised_name(key))) continue;
    const std::vector<std::string> more = texts_in(project.at("optional-dependencies"), key);
    texts.insert(texts.end(), more.begin(), more.end());
  }
  MarkerEnvironment environment = environment_of(target);
  environment.extras.insert(extras.begin(), extras.end());
  std::vector<std::string> unmet;
  for (const std::string& text : texts) {
    const Requirement requirement = Requirement::parse(text);
    if (requirement.marker.evaluate(environment) != Truth::yes) continue;
    const std::string name = normalised_name(requirement.name);
    const auto found = std::find_if(selection.packages.begin(), selection.packages.end(),
                                    [&](const SelectedPackage& package) { return package.name == name; });
    if (found == selection.packages.end()) {
      const bool is_project = name == normalised_name(project.string_or("name", ""));
      if (!is_project && !contains(selection.unusable, name)) {
        unmet.push_back(fmt::format("'{}' is not in the lock", printable(text)));
      }
    } else if (requirement.url.empty() && !found->version.empty() &&
               !requirement.specifier.contains(found->version, Prereleases::accept)) {
      unmet.push_back(
          fmt::format("pyproject.toml says '{}', the lock has {}", printable(text), printable(found->display_name())));
    }
  }
  return unmet;
}

}  // namespace veneer::python
