// Whether what a base says of itself is so. Pure, thread-safe.
#pragma once

#include <string>

#include "image/image.hh"

namespace veneer::base {

/// Throws Error (refused) when `machine` (as platform.machine()), which the program `interpreter` of a base is for,
/// contradicts the base's configuration. Architectures that are not known contradict nothing, and 32-bit x86 programs
/// run on amd64.
void check_machine(const image::Platform& platform, const std::string& machine, const std::string& interpreter);

}  // namespace veneer::base
