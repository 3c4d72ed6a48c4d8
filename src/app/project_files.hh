// Which files of the project's folder are the application's: what git and .dockerignore leave, without secrets that git
// does not track. Reads the folder.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "build/application.hh"
#include "build/image_builder.hh"
#include "foundation/value.hh"
#include "owners/dockerignore.hh"
#include "python/project/git_checkout.hh"
#include "start/rules.hh"

namespace veneer::app {

/// What a .dockerignore leaves out of a project's folder, which may lie below the folder that its patterns mean.
class IgnoreFile {
 public:
  /// The first of the files that is there. Throws Error (refused) that names file and line for a pattern that Docker
  /// refuses.
  IgnoreFile(const std::filesystem::path& folder, const start::IgnoreFiles& files);
  bool excludes(const std::string& path) const { return patterns_.excludes(above_ + path); }
  /// Relative to the project's folder; empty: there is none.
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::string above_;  // "apps/web/"
  owners::DockerIgnore patterns_;
};

/// All that is there, before .dockerignore is read: which one counts hangs on the Dockerfile.
build::ProjectFiles list_files(const python::Project& project, const std::optional<python::GitFolder>& git);

/// Takes out of `files` what the ignore file leaves out, then the secrets.
void choose_files(const python::Project& project, const std::optional<python::GitFolder>& git, const IgnoreFile& ignore,
                  build::ProjectFiles& files);

/// "3 that git ignores, 2 by .dockerignore, .env (an environment file)"; empty when nothing is.
std::string left_out_text(const build::ProjectFiles& files);

/// {"git": 3, "dockerignore": 2, "secrets": [".env"]}
Value left_out_value(const build::ProjectFiles& files);

/// What is said of secrets that git tracks and that come with a folder.
std::vector<std::string> secret_findings(const build::BuildInputs& inputs);

/// Of a version that a clean build of the commit would not have, or that git's tags did not give.
void add_version_findings(const build::BuildInputs& inputs, const python::GitFolder& git, build::BuildPlan& plan);

}  // namespace veneer::app
