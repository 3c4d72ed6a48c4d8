// Which files an index has of the releases that a requirements file pins. Called by cli. Runs uv; thread-safe.
#pragma once

#include <filesystem>

#include "python/lock/pylock.hh"
#include "python/lock/requirements.hh"
#include "python/selection.hh"
#include "python/supply/uv_build.hh"
#include "python/target.hh"

namespace veneer::python {

/// Asks uv, which asks the index that the file's options, the project in `folder` or the user's settings name. Nothing
/// is resolved: dependencies are not followed. Errors: not_found without uv, network with what uv said.
Pylock files_of_releases(const Selection& selection, const RequirementsFile& file, const Target& target,
                         const UvProgram& uv, const std::filesystem::path& folder);

}  // namespace veneer::python
