// The target that tests of locks select for.
#pragma once

#include "python/target.hh"

namespace veneer::python {

inline Target some_target() {
  Target result;
  result.minor = 12;
  result.full_version = "3.12.7";
  result.libc = {LibcKind::glibc, 2, 36};
  result.machine = "x86_64";
  return result;
}

}  // namespace veneer::python
