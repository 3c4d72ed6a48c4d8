// What a wheel would install, as JSON. Pure but for reading the wheel.
#pragma once

#include "foundation/value.hh"
#include "python/wheel/install.hh"

namespace veneer::python {

/// Reads and verifies all of `wheel` as installed at `place`:
///   {"name", "version", "files": [{"path", "mode", "size", "sha256"}], "scripts": [name], "findings": [{"code",
///   "path", "message", "weight"}]}
/// Paths are below the prefix and sorted; mode is four octal digits; scripts are the names in bin/, sorted. The form is
/// stable and documented in docs/formats.md. Throws Error as install() and verify() do.
Value describe(const Wheel& wheel, const InstallPlace& place);

}  // namespace veneer::python
