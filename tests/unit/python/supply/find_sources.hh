// What a build that begins now takes as the sources of a project, and makes of them.
#pragma once

#include "python/supply/app_wheel.hh"

namespace veneer::python {

inline ProjectSources find_sources(const std::filesystem::path& folder) {
  GitCheckouts checkouts;
  return SourceFinder(checkouts).find(folder);
}

inline AppWheel build_app_wheel(const Project& project, const Target& target, const UvProgram& uv, BuiltWheels& cache) {
  GitCheckouts checkouts;
  SourceFinder finder(checkouts);
  return build_app_wheel(project, target, uv, cache, finder);
}

}  // namespace veneer::python
