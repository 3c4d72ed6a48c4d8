// What a failed build of a wheel lacked, read off what its tools printed. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace veneer::python {

struct MissingForBuild {
  std::string what;  // "the header ffi.h", "the compiler gcc"; printable
  std::string hint;
  std::string package;  // of Debian, that has it; empty when that is not known
};

/// The first thing that the output of a compiler, linker or build backend calls missing, if it does.
std::optional<MissingForBuild> find_missing(std::string_view output);

}  // namespace veneer::python
