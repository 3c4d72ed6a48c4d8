// Dependency specifiers (PEP 508). Values, pure, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "python/marker.hh"
#include "python/specifier.hh"

namespace veneer::python {

struct Requirement {
  std::string name;                 // as written
  std::vector<std::string> extras;  // as written, sorted, none twice
  std::string url;                  // "name @ url"; empty without
  SpecifierSet specifier;
  Marker marker;

  /// Throws Error (refused) that names `text` and what is wrong with it.
  static Requirement parse(std::string_view text);
};

}  // namespace veneer::python
