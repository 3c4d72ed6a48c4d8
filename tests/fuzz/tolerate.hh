// What fuzz targets share.
#pragma once

#include "foundation/error.hh"
#include "python/target.hh"

namespace veneer::fuzz {

/// Refusing an input is fine; anything else that leaves `action` is a find.
template <typename Action>
void tolerate(const Action& action) {
  try {
    action();
  } catch (const Error&) {
  }
}

inline python::Target some_target() {
  python::Target target;
  target.minor = 12;
  target.full_version = "3.12.7";
  target.libc = {python::LibcKind::glibc, 2, 36};
  target.machine = "x86_64";
  return target;
}

}  // namespace veneer::fuzz
