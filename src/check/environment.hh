// The Python environments of an image and what is installed in them. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "check/finding.hh"
#include "python/project/base_target.hh"
#include "python/requirement.hh"
#include "python/target.hh"
#include "python/wheel/entry_points.hh"
#include "tree/file_tree.hh"

namespace veneer::check {

struct Distribution {
  std::string name;     // normalised
  std::string version;  // as METADATA has it
  std::string folder;   // path of its dist-info or egg-info
  std::vector<python::Requirement> requirements;
  std::string requires_python;
  std::vector<std::string> modules;  // what can be imported at the top: names of modules and packages, sorted
  std::vector<python::EntryPoint> commands;
  bool is_own = false;                     // the project that the image is made for
  std::vector<std::string> inner_modules;  // of such a one: what lies below its packages, sorted; without tests
};

struct Environment {
  std::string prefix;                       // "app/.venv"; "usr" for the system's own
  std::string interpreter;                  // "app/.venv/bin/python", before links are followed
  std::optional<python::Target> target;     // none when its interpreter is not there or is none
  std::vector<std::string> site_folders;    // those that are there
  std::vector<Distribution> distributions;  // sorted by name
};

/// The virtual environments of the image (folders with a pyvenv.cfg); without one, the newest CPython on the search
/// path with its own site folders. What cannot be read of a distribution or an environment becomes a finding. The
/// project's own distributions are those of the layer `own_layer`, where that is known, or those that an installer
/// found in a folder (PEP 610). Throws Error (refused) when the image has no Python.
std::vector<Environment> find_environments(const tree::FileTree& tree, const python::BaseVariables& variables,
                                           std::optional<std::size_t> own_layer, Findings& findings);

/// As `pip check`: requirements that are not there or have another version, and Pythons that are not allowed. A
/// distribution that is listed twice is a finding too.
void check_requirements(const Environment& environment, Findings& findings);

}  // namespace veneer::check
