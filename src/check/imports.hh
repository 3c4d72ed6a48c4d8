// Whether what is installed can be imported, tried out by the image's own interpreter in a sandbox. One thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "check/environment.hh"
#include "check/finding.hh"
#include "foundation/sandbox.hh"

namespace veneer::check {

struct ImportRun {
  std::filesystem::path root;  // the image's files
  Sandbox sandbox;
  std::map<std::string, std::string> environment;  // of the image's processes
  std::string folder;                              // their working directory
};

/// Imports every module at the top of the environment and resolves every command's entry point, each in a process of
/// its own with a minute's time. Returns how many were tried. Throws Error (failed) when the interpreter itself cannot
/// run.
std::size_t check_imports(const Environment& environment, const ImportRun& run, Findings& findings,
                          const std::function<void(const std::string&)>& progress);

}  // namespace veneer::check
