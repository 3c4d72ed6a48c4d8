// Whether the settings of uv under which a lock was resolved are still those of its project: [options] and `conflicts`
// of uv.lock. Pure, thread-safe.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "foundation/value.hh"
#include "python/lock/uv_lock.hh"

namespace veneer::python {

/// Sentences.
struct OptionDifferences {
  std::vector<std::string> contrary;  // the settings say something else than the lock
  std::vector<std::string> unsaid;  // the lock has what no setting says: given to `uv lock` by an option or a variable
};

/// What `settings` ([tool.uv] or a uv.toml) have otherwise than `options` of the lock, of resolution, prerelease,
/// fork-strategy, exclude-newer and exclude-newer-package. What is written in a way that is not known here counts as
/// equal, and so does a date of any time zone.
OptionDifferences differing_options(const Value& settings, const Value& options);

/// Likewise for `conflicts` of [tool.uv] of all members (pyproject.toml by normalised name). The order of sets and of
/// what is in them does not matter. A group stands for those that include it, too, as uv writes them.
std::vector<std::string> differing_conflicts(const std::map<std::string, Value>& members,
                                             const std::vector<std::vector<ConflictItem>>& locked);

}  // namespace veneer::python
