// A version of Python as people name it. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "python/target.hh"

namespace veneer::python {

struct PythonVersion {
  int minor = 0;
  std::string text;  // "3.12", "3.12.7", "3.13.0rc1"
  Threading threading = Threading::with_gil;

  bool has_patch() const;
};

/// Reads "3.12", "3.12.7", "3.13.0rc1", and "3.13t" for free-threaded builds; nothing when it is none.
std::optional<PythonVersion> parse_python_version(std::string_view text);

}  // namespace veneer::python
