// Which files a lock has installed for one target: what `uv sync --frozen` would install. Pure,
// thread-safe.
#pragma once

#include <string>
#include <vector>

#include "python/lock/uv_lock.hh"
#include "python/selection.hh"
#include "python/target.hh"

namespace veneer::python {

enum class ExtraChoice { listed, all };
enum class GroupChoice { listed, all };
enum class MemberChoice { listed, all };
/// Whether the projects' own dependencies come along, or dependency groups alone (--only-group).
enum class ProjectChoice { with_groups, groups_alone };

/// All names are normalised.
struct SelectOptions {
  ExtraChoice extra_choice = ExtraChoice::listed;
  std::vector<std::string> extras;
  GroupChoice group_choice = GroupChoice::listed;
  std::vector<std::string> groups;
  std::vector<std::string> default_groups;   // taken too where they exist; a name that does not exist is no error
  std::vector<std::string> excluded_groups;  // win over all other options
  ProjectChoice project_choice = ProjectChoice::with_groups;
  MemberChoice member_choice = MemberChoice::listed;
  /// Workspace members; none: the project in the lock's folder, or every member when there is none.
  std::vector<std::string> packages;
};

/// Throws Error (refused) for a Python outside the lock's requires-python, an environment outside its supported ones,
/// conflicting extras, groups or projects, a marker that hangs on the host's kernel, and two
/// versions of one name; Error (not_found) for an extra, group or member that the lock does not have.
Selection select(const Lock& lock, const Target& target, const SelectOptions& options);

}  // namespace veneer::python
