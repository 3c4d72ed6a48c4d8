// The project `tiny` as different back ends build it, and what is in a wheel. For the tests of this folder.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "archive/zip.hh"
#include "foundation/file.hh"

namespace veneer::python {

inline constexpr const char* uv_build_project = R"([project]
name = "tiny"
version = "1.0"
requires-python = ">=3.8"
[build-system]
requires = ["uv_build>=0.8,<2"]
build-backend = "uv_build"
)";

inline constexpr const char* setuptools_scm_project = R"([project]
name = "tiny"
dynamic = ["version"]
requires-python = ">=3.8"
[build-system]
requires = ["setuptools==80.10.2", "setuptools-scm==9.2.2"]
build-backend = "setuptools.build_meta"
[tool.setuptools]
include-package-data = true
[tool.setuptools.packages.find]
where = ["src"]
[tool.setuptools_scm]
)";

inline std::set<std::string> members(const std::filesystem::path& wheel) {
  std::set<std::string> names;
  const archive::ZipReader reader(std::make_shared<File>(wheel));
  for (const archive::ZipEntry& entry : reader.entries()) names.insert(entry.name);
  return names;
}

}  // namespace veneer::python
