// Named places where a test can have the process killed, to see what a crash there leaves behind. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace veneer {

/// Called once by main, before any thread starts: the process will end itself by SIGKILL at the `occurrence`-th (from 1
/// on) passage of `name`. Written as "name" or "name:occurrence"; empty: never.
void arm_fail_point(std::string_view specification);

/// Marks a place. Does nothing unless armed.
void fail_point(std::string_view name);

}  // namespace veneer
