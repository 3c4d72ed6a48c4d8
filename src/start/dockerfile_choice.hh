// Which Dockerfile of a project counts. Pure; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "owners/compose.hh"
#include "start/inputs.hh"

namespace veneer::start {

/// One of several Dockerfiles that could be meant.
struct EqualDockerfile {
  std::string name;
  std::string why;  // "the service api of compose.yaml builds by it"; may be empty
};

struct DockerfileChoice {
  std::string name;   // relative to the project's folder, "../../Dockerfile"; empty: none counts
  std::string text;   // of that file
  std::string above;  // where the project lies in the build context: "apps/web"; empty: it is the context
  std::vector<EqualDockerfile> equal;  // two at least, of which none counts more than another
};

/// What a compose file says of the project.
struct ComposeChoice {
  std::string file;                            // its name relative to the project's folder; empty: there is none
  std::vector<owners::BuiltService> services;  // that are built of the project, their Dockerfiles as seen from `above`
  std::string above;                           // as DockerfileChoice has it
  std::vector<owners::ServiceImage> images;    // of all its services
  std::string trouble;                         // why it is not read
};

/// A file of the workspace's root, as the member's folder sees it: "../../Dockerfile".
std::string from_member(const Inputs& inputs, const std::string& name);

/// The compose file in the project's folder, else that of the workspace's root: there a service counts whose context is
/// the project's folder, or the root and whose Dockerfile is about the project.
ComposeChoice choose_compose(const Inputs& inputs);

/// In this order: what [tool.veneer] names; Dockerfile or Containerfile in the folder; those that the services name;
/// the others, but for those of hidden folders, tests and examples, of folders that are a project of their own, and
/// those that say nothing of Python; for a member of a workspace those of the root that are about it. Throws Error:
/// not_found for one that [tool.veneer] names and that is not there.
DockerfileChoice choose_dockerfile(const Inputs& inputs, const ComposeChoice& compose);

}  // namespace veneer::start
