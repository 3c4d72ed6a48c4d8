#include "app/locked_project.hh"

#include <optional>

#include "app/lock_age.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"

namespace veneer::app {

namespace fs = std::filesystem;

namespace {

/// Nothing for the root of a workspace that is no project, when one of its members is named.
std::optional<python::Project> read_own_project(const fs::path& folder, const BuildRequest& request) {
  try {
    return python::read_project(folder);
  } catch (const Error& error) {
    if (!request.package || error.kind() != ErrorKind::refused) throw;
    return std::nullopt;
  }
}

void read_lock_of(LockedProject& found, const BuildRequest& request, const Surroundings& surroundings) {
  const auto& named = request.lock;
  // Paths in a lock start where it lies, whatever it is a link to.
  found.lock_path =
      named ? real_path(fs::absolute(*named).parent_path()) / named->filename() : python::find_lock(found.folder);
  found.lock =
      python::read_lock(found.lock_path, [&](const std::string& name) { return surroundings.environment(name); });
}

/// Where they are known.
void list_members(Error& error, LockedProject& found, const BuildRequest& request, const Surroundings& surroundings) {
  try {
    read_lock_of(found, request, surroundings);
    if (!found.lock->members().empty()) {
      error.set_hint(error.hint() + "; " + python::members_hint(found.lock->members()));
    }
  } catch (const Error&) {  // the first one counts
  }
}

/// The project itself, or the member of its workspace that --package or [tool.veneer] package names; a member that
/// names no base stands on the same as the project of the folder.
python::Project choose_project(const std::optional<python::Project>& own, const LockedProject& found,
                               const BuildRequest& request) {
  const std::string package = request.package ? *request.package : own->package;
  if (own && (package.empty() || package == own->name)) return *own;
  python::Project project = python::read_project(found.lock_path.parent_path() / found.lock->member_folder(package));
  if (project.base || !own || !own->base) return project;
  project.base = own->base;
  project.system = own->system;
  project.base->folder = own->folder;
  return project;
}

}  // namespace

python::SelectRequest selection_of(const python::Project& project, const BuildRequest& request) {
  python::SelectOptions options;
  options.extras = project.extras;
  options.groups = project.groups;
  options.extras.insert(options.extras.end(), request.extras.begin(), request.extras.end());
  options.groups.insert(options.groups.end(), request.groups.begin(), request.groups.end());
  return {{}, std::move(options), python::DefaultGroups::left_out, project.name};
}

LockedProject read_locked_project(const BuildRequest& request, Surroundings& surroundings) {
  LockedProject found;
  found.folder = real_path(request.project);
  std::optional<python::Project> own;
  try {
    own = read_own_project(found.folder, request);
  } catch (Error& error) {
    if (error.hint() == python::no_project_hint) list_members(error, found, request, surroundings);
    throw;
  }
  read_lock_of(found, request, surroundings);
  found.project = choose_project(own, found, request);
  // Before anything is made of it.
  if (request.stale_locks == StaleLocks::refused) {
    refuse_stale_lock(*found.lock, found.project.name, selection_of(found.project, request).options.groups,
                      surroundings.messages());
  }
  if (request.base) found.project.base = request.base;
  if (request.python) found.project.python = *request.python;
  if (request.dependency_layers) found.project.dependency_layers = request.dependency_layers;
  return found;
}

}  // namespace veneer::app
