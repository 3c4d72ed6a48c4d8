// The environment that packages are selected and installed for. It comes from the base image (or, for `veneer select`,
// from options), never from the machine that builds. A value.
#pragma once

#include <string>

namespace veneer::python {

enum class Threading { with_gil, free_threaded };  // PEP 703

enum class LibcKind { glibc, musl };

struct Libc {
  LibcKind kind = LibcKind::glibc;
  int major = 2;
  int minor = 0;
  auto operator<=>(const Libc&) const = default;
};

/// CPython on Linux.
struct Target {
  int major = 3;
  int minor = 0;
  std::string full_version;  // "3.12.7", as python_full_version of PEP 508
  Threading threading = Threading::with_gil;
  Libc libc;
  std::string machine;      // as platform.machine(): x86_64, aarch64, armv7l, ...
  std::string interpreter;  // absolute path of the real executable in the base, "/usr/bin/python3.11"; may be empty for
                            // `select`

  /// "3.12" or "3.13t", as --python takes it.
  std::string minor_version() const {
    return std::to_string(major) + "." + std::to_string(minor) + (threading == Threading::free_threaded ? "t" : "");
  }
  /// "python3.12" or "python3.13t": the name of the folder below lib/ that holds site-packages.
  std::string library_folder() const { return "python" + minor_version(); }
};

}  // namespace veneer::python
