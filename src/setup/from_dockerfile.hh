// The Dockerfiles of a project as keys of [tool.veneer]: what becomes of each line, or why nothing does. Pure;
// thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "owners/dockerfile.hh"
#include "setup/settings.hh"
#include "start/inputs.hh"
#include "start/rules.hh"

namespace veneer::setup {

/// What a line of a Dockerfile comes to.
struct LineOutcome {
  std::string place;    // "Dockerfile:4"
  std::string line;     // as it begins: "RUN touch /var/log/cron.log"
  std::string becomes;  // the key, or keys, that stand for it: "empty_files"; may be empty
  std::string why;      // what of it does not count, and why; may be empty
};

struct FromDockerfile {
  std::vector<Setting> settings;
  std::vector<LineOutcome> lines;  // one an instruction, in the order of the files
};

/// Debian packages that the files install, by what they are for.
struct PackageChoice {
  std::vector<owners::Located<std::string>> kept;         // `value` is the name; each with the file that says it:
  std::vector<std::string> kept_in;                       // "Dockerfile.base", one for each of `kept`
  std::vector<std::pair<std::string, std::string>> left;  // a name and why it is left
};

/// `files` are the Dockerfile that counts and, before it, the one of its base where the project has that. A package
/// that is for builds is kept all the same when the project's own files say its name as that of a program.
PackageChoice choose_packages(const start::Inputs& inputs, const std::vector<owners::Dockerfile>& files,
                              const std::string& target);

/// The file that makes the image which `file` stands on, where the project has one ("Dockerfile.base"); "" else.
std::string base_dockerfile_of(const start::Inputs& inputs, const owners::Dockerfile& file, const std::string& target);

/// `decision` is that of the last of `files`, `base_taken` what is taken of the first when there are two. `is_pinned`
/// says that a .python-version chooses the Python.
FromDockerfile convert(const start::Inputs& inputs, const std::vector<owners::Dockerfile>& files,
                       const std::string& target, const start::Decision& decision, const start::Taken& base_taken,
                       const PackageChoice& packages, bool python_is_chosen);

}  // namespace veneer::setup
