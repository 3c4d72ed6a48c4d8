// Which files of the project's folder are the application's: what git and .dockerignore leave, without secrets that git
// does not track. Reads the folder.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "build/application.hh"
#include "build/image_builder.hh"
#include "foundation/value.hh"
#include "python/project/git_checkout.hh"

namespace veneer::app {

/// Bytes of a .dockerignore.
inline constexpr std::uint64_t largest_ignore_file = 1 << 20;

/// All that is there, before .dockerignore is read: its name hangs on the Dockerfile's.
build::ProjectFiles list_files(const python::Project& project, const std::optional<python::GitFolder>& git);

/// Takes out of `files` what the ignore file leaves out: "DOCKERFILE.dockerignore" beside `dockerfile` (which may be
/// empty), else ".dockerignore" of the folder. Then the secrets. Throws Error (refused) that names file and line for a
/// pattern that Docker refuses.
void choose_files(const python::Project& project, const std::optional<python::GitFolder>& git,
                  const std::string& dockerfile, build::ProjectFiles& files);

/// "3 that git ignores, 2 by .dockerignore, .env (an environment file)"; empty when nothing is.
std::string left_out_text(const build::ProjectFiles& files);

/// {"git": 3, "dockerignore": 2, "secrets": [".env"]}
Value left_out_value(const build::ProjectFiles& files);

/// What is said of secrets that git tracks and that come with a folder.
std::vector<std::string> secret_findings(const build::BuildInputs& inputs);

/// Of a version that a clean build of the commit would not have, or that git's tags did not give.
void add_version_findings(const build::BuildInputs& inputs, const python::GitFolder& git, build::BuildPlan& plan);

}  // namespace veneer::app
