// Modules of a project by their names. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "start/inputs.hh"

namespace veneer::start {

bool is_dotted_name(std::string_view text);

/// "app" of "app.main".
std::string top_of(std::string_view module);

/// The file of a module below one of the folders `roots` ("" is the project's): "app/main.py", "app/__init__.py", or
/// the folder itself where it has no such file.
std::optional<std::string> find_module(const Inputs& inputs, const std::vector<std::string>& roots,
                                       std::string_view module);

/// "app.main" of "src/app/main.py" below the root "src"; `__init__` goes.
std::string module_name(const std::string& file, const std::string& root);

}  // namespace veneer::start
