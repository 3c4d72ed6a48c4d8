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

/// Its own back end writes the environment that it sees into the wheel, and gives it the tag of the file `tag`, where
/// MINOR stands for the interpreter that runs it.
inline constexpr const char* telling_project = R"([project]
name = "tiny"
version = "1.0"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
)";
inline constexpr const char* telling_back_end = R"(
import json, os, sys, zipfile
def build_wheel(folder, settings=None, metadata=None):
    tag = open("tag").read().strip() if os.path.exists("tag") else "py3-none-any"
    tag = tag.replace("MINOR", "cp%d%d" % sys.version_info[:2])
    name = "tiny-1.0-%s.whl" % tag
    info = "tiny-1.0.dist-info/"
    texts = {"tiny.json": json.dumps({**os.environ, "python": sys.executable}),
             info + "METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
             info + "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: %s\n" % tag}
    texts[info + "RECORD"] = "".join("%s,,\n" % key for key in [*texts, info + "RECORD"])
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        for path, text in texts.items():
            wheel.writestr(path, text)
    return name
)";

inline std::set<std::string> members(const std::filesystem::path& wheel) {
  std::set<std::string> names;
  const archive::ZipReader reader(std::make_shared<File>(wheel));
  for (const archive::ZipEntry& entry : reader.entries()) names.insert(entry.name);
  return names;
}

}  // namespace veneer::python
