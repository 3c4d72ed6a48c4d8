// requires-python of a project. Called by base_target and cli. Pure, thread-safe.
#pragma once

#include <string>

namespace veneer::python {

/// Whether the Python `full_version` ("3.12.7") satisfies `requires_python` (PEP 440 specifiers; empty: any). Throws
/// Error (refused) for what are no specifiers.
bool allows_python(const std::string& requires_python, const std::string& full_version);

}  // namespace veneer::python
