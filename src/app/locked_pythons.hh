// The interpreters of a base as veneer.lock holds them, and back. Pure.
#pragma once

#include <vector>

#include "base/base_lock.hh"
#include "python/project/base_target.hh"

namespace veneer::app {

base::LockedPython locked_python(const python::FoundInterpreter& found);
std::vector<base::LockedPython> locked_pythons(const std::vector<python::FoundInterpreter>& found);

/// Throws Error (refused) that names a row which is none.
std::vector<python::FoundInterpreter> known_pythons(const std::vector<base::LockedPython>& pythons);

}  // namespace veneer::app
