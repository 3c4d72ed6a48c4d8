// Paths as the rules compare them. Pure, thread-safe.
#pragma once

#include <filesystem>
#include <string>

namespace veneer::start {

/// Without "." parts, doubled slashes and a slash at the end; ".." as far as it can be resolved. Of nothing it is ".".
std::string plain_path(const std::filesystem::path& path);

}  // namespace veneer::start
