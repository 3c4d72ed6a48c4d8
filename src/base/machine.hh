// Machines by their names: of bases, and of Debian. Pure, thread-safe.
#pragma once

#include <string>

#include "image/image.hh"

namespace veneer::base {

/// Throws Error (refused) when `machine` (as platform.machine()), which the program `interpreter` of a base is for,
/// contradicts the base's configuration. Architectures that are not known contradict nothing, and 32-bit x86 programs
/// run on amd64.
void check_machine(const image::Platform& platform, const std::string& machine, const std::string& interpreter);

/// As Debian names an architecture of Go: "armhf" for "arm".
std::string debian_architecture(const std::string& architecture);

}  // namespace veneer::base
