// Which files an index has of the releases that a lock without files pins. Runs uv; thread-safe.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "python/selection.hh"
#include "python/supply/uv_build.hh"
#include "python/target.hh"

namespace veneer::python {

/// `selection` with the file that is taken of each of its releases; as it is when it has none. Asks uv, which asks the
/// index that `index_options`, the project in `folder` or the user's settings name. Nothing is resolved: dependencies
/// are not followed. Errors: not_found without uv, network with what uv said.
Selection find_releases(const Selection& selection, const std::vector<std::string>& index_options, const Target& target,
                        const UvProgram& uv, const std::filesystem::path& folder);

}  // namespace veneer::python
