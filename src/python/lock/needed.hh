// Whether a marker of a lock asks for a package. Pure, thread-safe.
#pragma once

#include <string_view>

#include "python/marker.hh"

namespace veneer::python {

/// Throws Error (refused) that names `package` when the answer hangs on the host's kernel, which is not known.
bool is_needed(const Marker& marker, const MarkerEnvironment& environment, std::string_view package);

}  // namespace veneer::python
