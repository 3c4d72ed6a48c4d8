// What `veneer select` is asked: a lock, a target and a set of options, read from the command line or from a line of a
// batch file. One thread.
#pragma once

#include <filesystem>
#include <string>

#include "foundation/value.hh"
#include "python/lock/read_lock.hh"
#include "python/target.hh"

namespace veneer::app {

/// "x86_64" for "linux/amd64", as platform.machine() names it; an Error (usage) for what is no known Linux platform.
std::string machine_of_platform(const std::string& platform);

/// "3.12.7", "3.13.1t", "linux/arm64", "glibc-2.36": an Error of kind usage that names the option for anything else.
python::Target parse_target(const std::string& python, const std::string& platform, const std::string& libc);

struct SelectionRequest {
  std::filesystem::path lock;
  python::Target target;
  python::SelectOptions options;
  python::DefaultGroups default_groups = python::DefaultGroups::left_out;
  python::Variables variables;  // for a requirements file
};

/// Reads the lock (and pyproject.toml beside it, when default groups are wanted) and selects.
python::Selection answer(const SelectionRequest& request);

/// A line of a batch file. Throws Error (refused) for unknown and missing members.
SelectionRequest request_from_json(const Value& line);

}  // namespace veneer::app
