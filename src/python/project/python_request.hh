// Which Pythons somebody asks for, in the words that uv reads in .python-version and as --python. Pure but for
// find_version_file(); thread-safe.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace veneer::python {

/// Of CPython with the GIL.
struct PythonRequest {
  std::string text;        // as written
  std::string specifiers;  // PEP 440; empty: any
  std::string exact;       // "3.12.4", "3.15.0rc1" when it names one version, else empty

  bool operator==(const PythonRequest&) const = default;
};

/// A request and where it stands: "--python", ".python-version:1".
struct PlacedRequest {
  PythonRequest request;
  std::string place;
};

/// Reads what uv reads as a request: "3", "3.12", "3.12.4", "3.15rc1", "312", specifiers (">=3.11,<3.13"), each also
/// behind the implementation ("cpython@3.12", "cp312", "cpython-3.12.4-linux-x86_64-gnu"), "cpython", "any", "default".
/// Throws Error (refused) by name for other implementations (PyPy, GraalPy, ...), free-threaded and debug builds,
/// Python 2, paths, and what is none of these (to uv the name of a program).
PythonRequest parse_python_request(std::string_view text);

bool satisfies(const PythonRequest& request, const std::string& full_version);

/// A version that a file for version managers names.
struct VersionLine {
  std::string text;
  std::size_t line = 0;  // from 1
};

/// The first line of the text of a .python-version that is neither empty nor a comment ("#"), as uv takes it.
std::optional<VersionLine> read_version_file(std::string_view text);

/// What .python-version (or, in a folder without, .python-versions) of `folder` says, or of the nearest parent up to
/// `root`, which must be `folder` or above it. The place names the file as seen from `root`. Throws Error (refused) as
/// parse_python_request() does, naming file and line.
std::optional<PlacedRequest> find_version_file(const std::filesystem::path& folder, const std::filesystem::path& root);

}  // namespace veneer::python
