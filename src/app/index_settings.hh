// Package indexes and their credentials as the user's settings name them, read like uv reads them.
#pragma once

#include <string>
#include <vector>

#include "app/surroundings.hh"
#include "python/project/project.hh"
#include "python/supply/index_credentials.hh"

namespace veneer::app {

/// Those that options of a lock name, without those whose URL has a variable that is not set.
std::vector<python::PackageIndex> indexes_of(const std::vector<std::string>& options);

/// Of `indexes` and of those that UV_INDEX, UV_DEFAULT_INDEX, UV_INDEX_URL, UV_EXTRA_INDEX_URL and UV_FIND_LINKS name.
/// Credentials are the user info of a URL, or UV_INDEX_<NAME>_USERNAME and _PASSWORD, which stand before it. A
/// malformed URL is warned of and has none.
python::IndexCredentials index_credentials(std::vector<python::PackageIndex> indexes, Surroundings& surroundings);

}  // namespace veneer::app
