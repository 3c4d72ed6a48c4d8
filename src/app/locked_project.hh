// The project that a command is about, with its lock: the own one of a folder or a member of its workspace, as a build
// and what asks about one find it. One thread.
#pragma once

#include <filesystem>
#include <memory>

#include "app/build_request.hh"
#include "app/surroundings.hh"
#include "python/lock/read_lock.hh"
#include "python/project/project.hh"

namespace veneer::app {

struct LockedProject {
  std::filesystem::path folder;  // where the command was called for
  python::Project project;       // with what the request says of base, Python and layers
  std::filesystem::path lock_path;
  std::unique_ptr<const python::AnyLock> lock;
};

/// Reads both; a lock that is not what pyproject.toml asks for is refused where the request wants that. Throws Error as
/// read_project() and read_lock() do; of a workspace's root that is no project with the names of the members.
LockedProject read_locked_project(const BuildRequest& request, Surroundings& surroundings);

/// What of the lock is installed; the target is yet to be filled in.
python::SelectRequest selection_of(const python::Project& project, const BuildRequest& request);

}  // namespace veneer::app
