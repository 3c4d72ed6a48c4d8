// The rows of veneer.lock: `{ name = "x", … }` to values and back. Internal to base. Pure.
#pragma once

#include <string>

#include "base/base_lock.hh"
#include "base/lock_text.hh"

namespace veneer::base {

/// Of Interpreter, TargetFacts (without its folders), LockedFile, LockedImage, LockedPackage, LockedPython. Throws
/// Error (refused) that says what is wrong: a key that is missing, not known, or has no value of its kind.
template <typename Row>
Row read_locked_row(Fields fields);

/// The same rows as text, their keys in a fixed order. Throws Error (refused) for control characters.
template <typename Row>
std::string row_text(const Row& row);

}  // namespace veneer::base
