// Whether a lock is what pyproject.toml asks for. Reads the projects' files; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "app/surroundings.hh"
#include "build/image_builder.hh"
#include "python/lock/read_lock.hh"

namespace veneer::app {

/// Throws Error (refused) that says how `lock` differs from the projects that it was made of; what cannot be compared
/// is noted. `groups` are those that `project` installs.
void refuse_stale_lock(const python::AnyLock& lock, const std::string& project, const std::vector<std::string>& groups,
                       Messages& messages);

/// The same of a lock that does not keep what it was made of: by what it gives for the target.
void refuse_stale_selection(const python::AnyLock& lock, const build::BuildInputs& inputs,
                            const std::vector<std::string>& extras);

}  // namespace veneer::app
