#include "python/lock/select.hh"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "python/lock/choose_file.hh"
#include "python/lock/needed.hh"
#include "python/specifier.hh"
#include "python/tag.hh"

namespace veneer::python {

namespace {

/// Walks the dependencies of a lock from its roots.
class Walk {
 public:
  Walk(const Lock& lock, const Target& target, const SelectOptions& options)
      : lock_(lock), target_(target), options_(options), environment_(environment_of(target)) {}

  /// Indexes of the packages to install, sorted.
  std::vector<std::size_t> run() {
    check_target();
    find_roots();
    check_names();
    check_conflicts();
    if (lock_.conflicts.empty()) {
      walk();
    } else {
      walk_with_conflicts();
    }
    return {taken_.begin(), taken_.end()};
  }

 private:
  struct Place {
    std::size_t package;
    const std::string* extra;  // null: the package itself

    bool operator<(const Place& other) const {
      if (package != other.package) return package < other.package;
      if ((extra == nullptr) != (other.extra == nullptr)) return extra == nullptr;
      return extra != nullptr && *extra < *other.extra;
    }
  };

  bool takes_projects() const { return options_.project_choice == ProjectChoice::with_groups; }

  bool takes_group(const std::string& group) const {
    if (contains(options_.excluded_groups, group)) return false;
    return options_.group_choice == GroupChoice::all || contains(options_.groups, group) ||
           contains(options_.default_groups, group);
  }

  bool takes_extra(const std::string& extra) const {
    return options_.extra_choice == ExtraChoice::all || contains(options_.extras, extra);
  }

  void check_target() const {
    if (!allows_python(lock_.requires_python, target_.full_version)) {
      throw Error(ErrorKind::refused,
                  fmt::format("Python {} is outside the lock's requires-python, \"{}\"", target_.full_version,
                              printable(lock_.requires_python)),
                  "choose a base image or an interpreter that fits");
    }
    if (lock_.supported_environments.empty()) return;
    for (const Marker& marker : lock_.supported_environments) {
      if (marker.evaluate(environment_) == Truth::yes) return;
    }
    throw Error(ErrorKind::refused,
                fmt::format("the environment (Python {}, linux, {}) is outside those that the lock supports",
                            target_.full_version, target_.machine),
                "see environments in [tool.uv] of the project");
  }

  void find_roots() {
    const auto member = [&](const std::string& name) {
      const auto found = lock_.find(name);
      if (found.empty()) {
        throw Error(ErrorKind::not_found, fmt::format("the lock has no package {}", printable(name)));
      }
      for (const std::size_t index : found) {
        if (is_workspace_member(lock_, index)) return index;
      }
      throw Error(ErrorKind::not_found, fmt::format("{} is no member of the workspace", printable(name)));
    };
    if (options_.member_choice == MemberChoice::listed) {
      for (const std::string& name : options_.packages) roots_.push_back(member(name));
      if (!roots_.empty()) return;
      if (const auto root = lock_.root()) {
        roots_.push_back(*root);
        return;
      }
    }
    takes_whole_workspace_ = true;
    for (const std::string& name : lock_.members) roots_.push_back(member(name));
    if (lock_.members.empty()) {
      if (const auto root = lock_.root()) roots_.push_back(*root);
    }
  }

  void check_names() const {
    for (const std::string& extra : options_.extras) {
      const bool is_known = std::any_of(roots_.begin(), roots_.end(), [&](std::size_t root) {
        const LockPackage& package = lock_.packages[root];
        return contains(package.provided_extras, extra) || package.optional_dependencies.contains(extra);
      });
      // Locks before revision 1 do not list extras without dependencies.
      if (!is_known && lock_.revision >= 1) {
        throw Error(ErrorKind::not_found, fmt::format("the project has no extra \"{}\"", printable(extra)),
                    names_hint("extras", &LockPackage::provided_extras));
      }
    }
    for (const std::string& group : options_.groups) {
      bool is_known = std::any_of(roots_.begin(), roots_.end(), [&](std::size_t root) {
        const LockPackage& package = lock_.packages[root];
        return contains(package.declared_groups, group) || package.groups.contains(group);
      });
      is_known = is_known || lock_.groups.contains(group);
      if (!is_known) {
        throw Error(ErrorKind::not_found, fmt::format("the project has no dependency group \"{}\"", printable(group)),
                    names_hint("groups", &LockPackage::declared_groups));
      }
    }
  }

  std::string names_hint(std::string_view what, std::vector<std::string> LockPackage::*names) const {
    std::set<std::string> known;
    for (const std::size_t root : roots_) {
      const auto& list = lock_.packages[root].*names;
      known.insert(list.begin(), list.end());
    }
    std::string text;
    for (const std::string& name : known) text += (text.empty() ? "" : ", ") + name;
    return text.empty() ? fmt::format("it has no {}", what) : fmt::format("its {} are: {}", what, printable(text));
  }

  /// The roots and all members of the workspace that they could depend on.
  std::set<std::string> members_in_reach() const {
    std::set<std::string> names;
    std::set<Place> seen;
    std::deque<Place> queue;
    const auto push = [&](const LockDependencies& dependencies) {
      for (const LockDependency& dependency : dependencies) {
        if (!is_workspace_member(lock_, dependency.package)) continue;
        queue.push_back({dependency.package, nullptr});
        for (const std::string& extra : dependency.extras) queue.push_back({dependency.package, &extra});
      }
    };
    for (const std::size_t root : roots_) {
      const LockPackage& package = lock_.packages[root];
      names.insert(package.name);
      if (takes_projects()) {
        queue.push_back({root, nullptr});
        for (const auto& [extra, dependencies] : package.optional_dependencies) {
          if (takes_extra(extra)) queue.push_back({root, &extra});
        }
      }
      for (const auto& [group, dependencies] : package.groups) {
        if (takes_group(group)) push(dependencies);
      }
    }
    while (!queue.empty()) {
      const Place place = queue.front();
      queue.pop_front();
      if (!seen.insert(place).second) continue;
      names.insert(lock_.packages[place.package].name);
      if (const LockDependencies* dependencies = dependencies_of(place)) push(*dependencies);
    }
    return names;
  }

  void check_conflicts() const {
    if (lock_.conflicts.empty()) return;
    const std::set<std::string> members = members_in_reach();
    for (const auto& set : lock_.conflicts) {
      std::vector<const ConflictItem*> active;
      for (const ConflictItem& item : set) {
        if (!members.contains(item.package)) continue;
        const bool is_active = item.kind == ConflictItem::Kind::project ? takes_projects()
                               : item.kind == ConflictItem::Kind::extra ? takes_projects() && takes_extra(item.name)
                                                                        : takes_group(item.name);
        if (is_active) active.push_back(&item);
      }
      if (active.size() >= 2) refuse_conflict(*active[0], *active[1]);
    }
  }

  [[noreturn]] static void refuse_conflict(const ConflictItem& one, const ConflictItem& other) {
    const auto name = [](const ConflictItem& item) {
      if (item.kind == ConflictItem::Kind::project) return "the project " + printable(item.package);
      return fmt::format("the {} {} of {}", item.kind == ConflictItem::Kind::extra ? "extra" : "group",
                         printable(item.name), printable(item.package));
    };
    throw Error(ErrorKind::refused, fmt::format("{} and {} are declared as conflicting", name(one), name(other)),
                "choose one of them");
  }

  std::set<ConflictItem> items_of_roots() const {
    std::set<ConflictItem> items;
    for (const std::size_t root : roots_) {
      const LockPackage& package = lock_.packages[root];
      if (takes_projects()) {
        items.insert({ConflictItem::Kind::project, package.name, ""});
        for (const auto& [extra, dependencies] : package.optional_dependencies) {
          if (takes_extra(extra)) items.insert({ConflictItem::Kind::extra, package.name, extra});
        }
      }
      for (const auto& [group, dependencies] : package.groups) {
        if (takes_group(group)) items.insert({ConflictItem::Kind::group, package.name, group});
      }
    }
    return items;
  }

  /// Markers of a lock with conflicts ask which extras are in use, and dependencies ("foo[bar]") put more of them in
  /// use. So the walk is repeated with what the one before it found, until it finds no more and no less.
  ///
  /// Markers can also ask that an extra is not in use, so more in use may take away what put it there: the set need not
  /// grow, and a lock can make it swing for ever.
  void walk_with_conflicts() {
    constexpr int most_walks = 16;
    const std::set<ConflictItem> from_roots = items_of_roots();
    std::set<ConflictItem> in_use = from_roots;
    for (int i = 0;; ++i) {
      environment_.extras.clear();
      for (const ConflictItem& item : in_use) environment_.extras.insert(item.encoded());
      reached_extras_.clear();
      walk();
      std::set<ConflictItem> found = from_roots;
      found.insert(reached_extras_.begin(), reached_extras_.end());
      if (found == in_use) break;
      if (i == most_walks) {
        throw Error(ErrorKind::refused, "the conflicting extras of this lock contradict each other");
      }
      in_use = std::move(found);
    }
    for (const auto& set : lock_.conflicts) {
      std::vector<const ConflictItem*> active;
      for (const ConflictItem& item : set) {
        if (item.kind == ConflictItem::Kind::extra && in_use.contains(item)) active.push_back(&item);
      }
      if (active.size() >= 2) refuse_conflict(*active[0], *active[1]);
    }
  }

  const LockDependencies* dependencies_of(const Place& place) const {
    const LockPackage& package = lock_.packages[place.package];
    if (place.extra == nullptr) return &package.dependencies;
    const auto found = package.optional_dependencies.find(*place.extra);
    return found == package.optional_dependencies.end() ? nullptr : &found->second;
  }

  void take(std::size_t package, const std::vector<std::string>& extras) {
    taken_.insert(package);
    if (seen_.insert({package, nullptr}).second) queue_.push_back({package, nullptr});
    for (const std::string& extra : extras) {
      if (seen_.insert({package, &extra}).second) queue_.push_back({package, &extra});
      reached_extras_.insert({ConflictItem::Kind::extra, lock_.packages[package].name, extra});
    }
  }

  /// Takes the dependencies that the environment needs. What a dependency asks for ("foo[bar]") counts as in use for
  /// its own marker.
  void take_dependencies(const LockDependencies& dependencies) {
    for (const LockDependency& dependency : dependencies) {
      const std::string& name = lock_.packages[dependency.package].name;
      std::vector<std::string> added;
      if (!lock_.conflicts.empty()) {
        for (const std::string& extra : dependency.extras) {
          const std::string encoded = ConflictItem{ConflictItem::Kind::extra, name, extra}.encoded();
          if (environment_.extras.insert(encoded).second) added.push_back(encoded);
        }
      }
      const bool needed = is_needed(dependency.marker, environment_, name);
      for (const std::string& encoded : added) environment_.extras.erase(encoded);
      if (needed) take(dependency.package, dependency.extras);
    }
  }

  void walk() {
    taken_.clear();
    seen_.clear();
    for (const std::size_t root : roots_) {
      const LockPackage& package = lock_.packages[root];
      if (takes_projects()) {
        taken_.insert(root);
        if (seen_.insert({root, nullptr}).second) queue_.push_back({root, nullptr});
        for (const auto& [extra, dependencies] : package.optional_dependencies) {
          if (takes_extra(extra) && seen_.insert({root, &extra}).second) queue_.push_back({root, &extra});
        }
      }
      for (const auto& [group, dependencies] : package.groups) {
        if (takes_group(group)) take_dependencies(dependencies);
      }
    }
    take_manifest(lock_.requirements);
    if (takes_whole_workspace_) {
      for (const auto& [group, requirements] : lock_.groups) {
        if (takes_group(group)) take_manifest(requirements);
      }
    }
    while (!queue_.empty()) {
      const Place place = queue_.front();
      queue_.pop_front();
      if (const LockDependencies* dependencies = dependencies_of(place)) take_dependencies(*dependencies);
    }
  }

  void take_manifest(const std::vector<ManifestRequirement>& requirements) {
    for (const ManifestRequirement& requirement : requirements) {
      if (!is_needed(requirement.marker, environment_, requirement.name)) continue;
      std::optional<std::size_t> found;
      for (const std::size_t index : lock_.find(requirement.name)) {
        const auto& forks = lock_.packages[index].resolution_markers;
        if (!forks.empty() && std::none_of(forks.begin(), forks.end(), [&](const Marker& fork) {
              return is_needed(fork, environment_, requirement.name);
            })) {
          continue;
        }
        if (found) {
          throw Error(ErrorKind::refused, fmt::format("the lock has several packages {} for this environment",
                                                      printable(requirement.name)));
        }
        found = index;
      }
      if (!found) {
        throw Error(ErrorKind::refused,
                    fmt::format("the lock has no package {} for this environment", printable(requirement.name)));
      }
      take(*found, requirement.extras);
    }
  }

  const Lock& lock_;
  const Target& target_;
  const SelectOptions& options_;
  MarkerEnvironment environment_;
  bool takes_whole_workspace_ = false;  // then the groups of a root that is no project count
  std::vector<std::size_t> roots_;
  std::set<ConflictItem> reached_extras_;  // that dependencies of the last walk ask for
  std::deque<Place> queue_;
  std::set<Place> seen_;
  std::set<std::size_t> taken_;
};

/// When the lock has package `index`: the forks that it belongs to, else what those that want it say.
std::string marker_of(const Lock& lock, const std::vector<std::size_t>& taken, std::size_t index) {
  std::set<std::string> markers;
  for (const Marker& fork : lock.packages[index].resolution_markers) markers.insert(fork.text());
  if (markers.empty()) {
    for (const std::size_t other : taken) {
      for (const LockDependency& dependency : lock.packages[other].dependencies) {
        if (dependency.package == index) markers.insert(dependency.marker.text());
      }
    }
  }
  if (markers.contains("")) return {};
  std::string text;
  for (const std::string& marker : markers) text += (text.empty() ? "" : " or ") + marker;
  return text;
}

}  // namespace

Selection select(const Lock& lock, const Target& target, const SelectOptions& options) {
  const std::vector<std::size_t> taken = Walk(lock, target, options).run();
  const TagRanks ranks(target);
  Selection selection;
  std::set<std::string_view> names;
  for (const std::size_t index : taken) {
    const LockPackage& package = lock.packages[index];
    if (package.source.kind == LockSource::Kind::virtual_folder) continue;
    if (!names.insert(package.name).second) {
      throw Error(ErrorKind::refused,
                  fmt::format("the lock gives several versions of {} for this environment", printable(package.name)),
                  "extras or groups that need different versions must be declared as conflicting");
    }
    in_context([&] { return "package " + printable(package.name); },
               [&] {
                 if (auto file = choose_file(package, ranks)) {
                   file->is_project = is_workspace_member(lock, index);
                   selection.packages.push_back(std::move(*file));
                 } else {
                   selection.unusable.push_back(package.name);
                   if (std::string marker = marker_of(lock, taken, index); !marker.empty()) {
                     selection.unusable_markers[package.name] = std::move(marker);
                   }
                 }
               });
  }
  sort_by_name(selection.packages);
  std::sort(selection.unusable.begin(), selection.unusable.end());
  return selection;
}

}  // namespace veneer::python
