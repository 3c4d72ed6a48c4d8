// Whether what an image starts and what is installed in it can be imported, tried out by its own interpreter in a
// sandbox. One thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "check/environment.hh"
#include "check/finding.hh"
#include "check/start_targets.hh"
#include "foundation/sandbox.hh"

namespace veneer::check {

struct ImportRun {
  std::filesystem::path root;  // the image's files
  Sandbox sandbox;
  std::map<std::string, std::string> environment;  // of the image's processes
  std::string folder;                              // their working directory
  std::string suite;                               // of Debian; may be empty
};

/// What an image runs beside its distributions.
struct OwnCode {
  std::vector<StartTarget> starts;
  std::string program;               // the script of a distribution that it starts; may be empty
  std::vector<std::string> modules;  // of the project in the working directory, where no wheel brings it
  std::vector<std::string> files;    // programs of the project there, absolute
};

/// What the image starts, the project's own modules, then every module at the top of the environment and every
/// command's entry point, those of a distribution in one process, each with a minute's time. A problem is what
/// keeps the image's own code from working; that a dependency's module or command wants what an extra would bring, or
/// what only the surroundings of a container give, is a detail. Returns how many were tried. Throws Error (failed) when
/// the interpreter itself cannot run.
std::size_t check_imports(const Environment& environment, const OwnCode& own, const ImportRun& run, Findings& findings,
                          const std::function<void(const std::string&)>& progress);

}  // namespace veneer::check
