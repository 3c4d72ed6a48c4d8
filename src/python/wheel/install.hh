// A wheel as it stands in a virtual environment. Pure but for reading scripts; thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "python/wheel/wheel.hh"
#include "tree/file_tree.hh"

namespace veneer::python {

/// Whether each dist-info gets an empty REQUESTED (PEP 376).
enum class RequestedFile { absent, present };

/// Where to install, and what installed files look like.
struct InstallPlace {
  std::string prefix = "/app/.venv";          // absolute path of the environment in the image
  std::string library_folder = "python3.11";  // Target::library_folder()
  std::int64_t mtime = 315'532'800;           // 1980-01-01T00:00:00Z
  RequestedFile requested = RequestedFile::absent;

  /// Of the environment's interpreter, as scripts name it: "/app/.venv/bin/python".
  std::string interpreter() const { return prefix + "/bin/python"; }
  /// "lib/python3.11/site-packages", below the prefix.
  std::string site_packages() const { return "lib/" + library_folder + "/site-packages"; }
};

/// The installed files, under their paths from the root of the image ("app/.venv/lib/..."), folders 0755, files 0644 or
/// 0755, owner 0:0. Spreads the five schemes of the .data folder, rewrites "#!python" lines of scripts, makes the
/// commands, writes INSTALLER ("veneer\n") and RECORD. Contents that are not rewritten stay the wheel's own, with their
/// deflated form. docs/formats.md, "Wheels in the image", gives the rules. Throws Error (refused): an unknown scheme, a
/// folder among the scripts, two files with different contents for one place, a file and a folder for one place, a file
/// that would replace the interpreter or part of the environment itself.
tree::FileTree install(const Wheel& wheel, const InstallPlace& place);

/// `path` of an installed file below the prefix ("lib/python3.11/site-packages/pkg/x.py") of a path in the image, which
/// must lie there.
std::string path_below_prefix(const InstallPlace& place, std::string_view path);

}  // namespace veneer::python
