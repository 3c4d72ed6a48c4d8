// Which file of a locked package is installed. Pure, thread-safe.
#pragma once

#include <optional>

#include "python/lock/uv_lock.hh"
#include "python/selection.hh"
#include "python/tag.hh"

namespace veneer::python {

/// Whether package `index` is one of the projects that the lock was made for.
bool is_workspace_member(const Lock& lock, std::size_t index);

/// Whether the folder at `path`, seen from the lock, is code of the project that the lock was made for, where the lock
/// names no members (pylock.toml, requirements.txt): the lock's own folder, and editable ones below it.
bool is_own_folder(const std::string& path, Editable editable);

/// The best wheel by its tags (then by its build number, then the first in the lock), else the source; nothing when the
/// package has no file that the target can use. Throws Error (refused) for a malformed hash and for a source
/// archive that uv would not unpack.
std::optional<SelectedPackage> choose_file(const LockPackage& package, const TagRanks& ranks);

}  // namespace veneer::python
