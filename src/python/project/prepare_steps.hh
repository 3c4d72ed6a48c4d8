// [[tool.veneer.prepare]]. Pure, thread-safe.
#pragma once

#include <vector>

#include "python/project/project.hh"
#include "python/project/strict_table.hh"

namespace veneer::python {

/// The steps of [tool.veneer], in their order. Throws Error (refused) that names the step and the key.
std::vector<PrepareStep> read_prepare_steps(const StrictTable& veneer);

}  // namespace veneer::python
