// What several tables of [tool.veneer] hold: paths and variables. Pure, thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "python/project/strict_table.hh"

namespace veneer::python {

bool has_control(std::string_view text);

/// An absolute path in the image without "." and ".." parts; doubled and trailing slashes go. Throws Error (refused).
std::string image_path(const StrictTable& table, std::string_view key, const std::string& text);

/// A path of the project, relative to its folder, that does not lead out of it. Throws Error (refused).
std::string source_path(const StrictTable& table, std::string_view key, const std::string& text);

/// A table of variables; an empty one without it. Throws Error (refused) for names that no environment can hold.
std::map<std::string, std::string> variables(const StrictTable& table, std::string_view key);

}  // namespace veneer::python
