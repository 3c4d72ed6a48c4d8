// Whether a uv.lock is still what the projects in it ask for: what `uv lock --check` refuses, as far as it can be known
// from files alone. Pure, thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "foundation/value.hh"
#include "python/lock/uv_lock.hh"
#include "python/selection.hh"
#include "python/target.hh"

namespace veneer::python {

struct LockSurroundings {
  /// pyproject.toml of the folder, as seen from the lock ("." or "packages/lib"); nothing where there is none.
  std::function<std::optional<Value>(const std::string& folder)> project;
  /// uv.toml beside the lock, which uv reads instead of [tool.uv]; nothing where there is none.
  std::optional<Value> uv_settings;
  /// The user's own uv.toml, which says what those do not; nothing where there is none.
  std::optional<Value> user_settings;
  /// Folders that the patterns of [tool.uv.workspace] name ("packages/*"), as seen from the lock.
  std::function<std::vector<std::string>(const std::vector<std::string>& members,
                                         const std::vector<std::string>& excluded)>
      folders;
};

struct LockAge {
  std::vector<std::string> differences;   // sentences; none: the lock is up to date
  std::vector<std::string> not_compared;  // what could not be looked at, and why
};

/// Of the workspace and of the folders that the lock names: members, whether they are packages, dependencies, extras,
/// requires-python, constraints, overrides, excluded and build constraints, environments, how it was
/// resolved (stale_settings.hh), and those dependency groups of `project` (a normalised name) that are in `groups`. The
/// projects' own versions and other groups may differ. Dynamic dependencies are not compared, nor is what a folder that
/// is not there would ask for. Throws Error (refused) for a requirement that is none.
LockAge compare_with_projects(const Lock& lock, const LockSurroundings& surroundings, const std::string& project,
                              const std::vector<std::string>& groups);

/// The same for a lock that does not keep what it was asked: what `document`, a pyproject.toml, asks for on `target`
/// with these extras and `selection` lacks, or has in a version that does not fit. Throws Error (refused) likewise.
std::vector<std::string> unmet_requirements(const Value& document, const Selection& selection, const Target& target,
                                            const std::vector<std::string>& extras);

}  // namespace veneer::python
