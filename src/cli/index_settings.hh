// Package indexes and their credentials as the user's settings name them, read like uv reads them. Called by
// BuildSession.
#pragma once

#include <string_view>
#include <vector>

#include "cli/context.hh"
#include "python/project/project.hh"
#include "python/supply/index_credentials.hh"

namespace veneer::cli {

/// "--index-url https://…" of a requirements file.
python::PackageIndex index_of_option(std::string_view option);

/// Of `indexes` and of those that UV_INDEX, UV_DEFAULT_INDEX, UV_INDEX_URL and UV_EXTRA_INDEX_URL name. Credentials are
/// the user info of a URL, or UV_INDEX_<NAME>_USERNAME and _PASSWORD, which stand before it.
python::IndexCredentials index_credentials(std::vector<python::PackageIndex> indexes, const Context& context);

}  // namespace veneer::cli
