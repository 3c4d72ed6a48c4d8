// Which variables of the caller's environment a build sees. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace veneer::python {

/// Whether uv and the back ends that it runs see the caller's variable `name`: where programs and servers are and who
/// asks them, nothing that a build may read as an option. All others are kept away, but for those of UvProgram.
bool reaches_builds(std::string_view name);

/// Whether veneer itself gives this variable to each build, so that nobody else can.
bool is_set_for_builds(std::string_view name);

}  // namespace veneer::python
