// What a container of the project starts: what its owners say, in the order in which they are believed, else what their
// code shows. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "owners/uv_sync.hh"
#include "start/dockerfile_choice.hh"
#include "start/inputs.hh"
#include "start/taken.hh"

namespace veneer::start {

/// Something that might be meant, to be chosen by the user.
struct Candidate {
  std::vector<std::string> words;
  std::string why;  // "main.py:7 has app = FastAPI()"
};

struct Decision {
  std::optional<StartCommand> start;               // none: nobody can say; see `candidates`
  std::map<std::string, std::string> environment;  // that the command needs beside what was taken
  std::vector<Candidate> candidates;
  std::vector<EqualDockerfile> dockerfiles;  // several that could be meant, so none counts and nothing starts
  Taken taken;                               // of the Dockerfile that counts; empty without one
  std::string dockerfile;                    // its name; empty without one
  bool needs_files = false;  // the command is a file of the project's folder, which a wheel does not bring
  Notes notes;
};

/// `own_files` bring the project's files into the image where no COPY says it, `to` being relative to the working
/// directory; none for a project whose wheel does.
Decision decide(const Inputs& inputs, const std::vector<python::FileRule>& own_files);

/// The Python of the image that the Dockerfile which counts stands on, and where it says so: "3.12", "Dockerfile:1".
/// Nothing where no Dockerfile counts, or it stands on something else. Looks only at the inputs' project, files and
/// read.
std::optional<std::pair<std::string, std::string>> python_of_dockerfile(const Inputs& inputs);

/// The image that it stands on, as it names it, and where; empty where that hangs on a variable without a value. Looks
/// at the same. Throws Error (refused) for a Dockerfile that cannot be read.
std::optional<std::pair<std::string, std::string>> base_of_dockerfile(const Inputs& inputs);

struct InstalledByDockerfile {
  std::string file;
  owners::Installed installed;
};

/// What the Dockerfile that counts installs beside the dependencies; nothing where none counts or it cannot be read.
/// Looks at the same.
std::optional<InstalledByDockerfile> installed_by_dockerfile(const Inputs& inputs);

/// The Dockerfile that counts, relative to the project's folder; empty without one. Looks at the same.
std::string dockerfile_of(const Inputs& inputs);

struct IgnoreFiles {
  std::vector<std::string> names;  // relative to the project's folder; the first that is there counts
  std::string above;  // where the project lies in the folder that their patterns are relative to; empty: it is that
};

/// Where BuildKit looks for what a build of the project leaves out: beside the Dockerfile that counts, then at the root
/// of the build context. Looks at the same.
IgnoreFiles ignore_files_of(const Inputs& inputs);

/// The paste-able line of a command: `cmd = ["python", "main.py"]`.
std::string line_of(const std::vector<std::string>& words);

}  // namespace veneer::start
