// A project for who stays with `docker build`: what the generated Dockerfiles say of it, and whether its base is still
// the right one. One thread.
#pragma once

#include <string>
#include <vector>

#include "app/base_image.hh"
#include "app/build_request.hh"
#include "app/open_image.hh"
#include "app/surroundings.hh"
#include "base/ingredients.hh"
#include "deliver/delivery_plan.hh"
#include "setup/docker_files.hh"

namespace veneer::app {

struct DockerProject {
  setup::DockerFacts facts;
  base::Ingredients ingredients;  // in `facts` as text
  std::filesystem::path folder;   // where its files are written: that of pyproject.toml, lock and .git
};

/// Reads the project and its lock; builds nothing. What Dockerfile.base chose before stays: uv's version, and the
/// snapshot where [tool.veneer.system] names none. Throws Error: refused for what these Dockerfiles cannot do, with
/// what can; not_found without uv when none was chosen before. `edited`: the project as pyproject.toml will say it.
DockerProject read_docker_project(const BuildRequest& request, Surroundings& surroundings,
                                  const python::Project* edited = nullptr);

/// The four files that `veneer init --docker` writes.
std::vector<setup::GeneratedFile> docker_files(const DockerProject& project);

/// Compares with `image`, a base image that was built from the files; none: with Dockerfile.base itself, whose label
/// says what it is for.
BaseStatus docker_base_status(const BuildRequest& request, const WantedImage& image, deliver::Line line,
                              Surroundings& surroundings);

}  // namespace veneer::app
