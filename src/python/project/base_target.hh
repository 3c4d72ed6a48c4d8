// Which Python a base image has, and on which system: read from its files, nothing is run. Pure but for reading the
// tree's contents; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "python/project/python_request.hh"
#include "python/target.hh"
#include "tree/file_tree.hh"

namespace veneer::python {

/// What its configuration says.
struct BaseVariables {
  std::string search_path;     // PATH
  std::string python_version;  // PYTHON_VERSION, as the images of Python have it; may be empty
};

/// One interpreter of the base that could be chosen.
struct FoundInterpreter {
  Target target;
  std::string found_as;  // the path that led to it, "/usr/bin/python3" or "/usr/local/bin/python3.12"
};

/// Every CPython of the base, newest minor version first, then in the order of the search path (the folders
/// /usr/local/bin and /usr/bin are searched in any case). Links are followed inside the tree, so each executable comes
/// once, under its real path. The version comes from the interpreter's own text (or that of its libpython; then from
/// patchlevel.h, PYTHON_VERSION, the end of another text), the ABI from its file name ("python3.13t"), machine and word
/// size from its ELF header, the C library from its text. Throws Error (refused) that names it for an executable that
/// is no ELF file for Linux, for another implementation than CPython (PyPy and others, by name), and for an unknown C
/// library; only when no usable CPython is there.
std::vector<FoundInterpreter> find_interpreters(const tree::FileTree& base, const BaseVariables& variables);

/// As text for a cache, and back; nothing for a text that is none of these.
std::string interpreters_to_text(const std::vector<FoundInterpreter>& found);
std::optional<std::vector<FoundInterpreter>> interpreters_from_text(const std::string& text);

struct TargetChoice {
  FoundInterpreter chosen;
  std::vector<FoundInterpreter> others;  // that were not taken
};

/// Chooses the interpreter: `wanted` ("3.11", "3.12.4", "3.13t"; empty: any) and `requires_python` (PEP 440 specifiers;
/// empty: any) must hold, the newest of those is taken; a free-threaded one only when `wanted` says so. Throws Error
/// (refused) with what was found and a hint when none is left. Of those that hold, one that satisfies `preferred` goes
/// first.
TargetChoice choose_target(std::vector<FoundInterpreter> found, const std::string& requires_python,
                           const std::string& wanted, const std::optional<PythonRequest>& preferred = std::nullopt);
/// Of those that find_interpreters() finds.
TargetChoice choose_target(const tree::FileTree& base, const BaseVariables& variables,
                           const std::string& requires_python, const std::string& wanted,
                           const std::optional<PythonRequest>& preferred = std::nullopt);

}  // namespace veneer::python
