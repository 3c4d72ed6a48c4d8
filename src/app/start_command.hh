// From a project whose lock and base are known to what its container starts, and to what its image takes of a
// Dockerfile.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "app/build_request.hh"
#include "app/surroundings.hh"
#include "build/image_builder.hh"
#include "image/cache/layer_cache.hh"
#include "python/project/python_request.hh"
#include "start/rules.hh"

namespace veneer::app {

struct StartQuestion {
  build::BuildInputs& inputs;  // changed: [tool.veneer.image] gets what it leaves open, and findings what is to be said
  const BuildRequest& request;
  const image::LayerCache& cache;
  std::function<bool(const std::string&)> has_program;  // see ImageBuilder::has_program()
};

/// What the project's Dockerfile stands on, if that is an image of Python; see python::PythonQuestion.
std::optional<python::PlacedRequest> python_of_dockerfile(const build::BuildInputs& inputs);

/// The image that the Dockerfile stands on, as it names it, and where: see start::base_of_dockerfile().
std::optional<std::pair<std::string, std::string>> base_of_dockerfile(const build::BuildInputs& inputs);

/// What the project's Dockerfile installs beside the dependencies; see start::installed_by_dockerfile().
std::optional<start::InstalledByDockerfile> installed_by_dockerfile(const build::BuildInputs& inputs);

/// The project's Dockerfile that counts, relative to its folder; empty without one.
std::string dockerfile_of(const build::BuildInputs& inputs);

/// Where docker build looks for what it leaves out; see start::ignore_files_of().
start::IgnoreFiles ignore_files_of(const build::BuildInputs& inputs);

/// What the owners wrote, to be read: a part of what the rules of the start command look at.
start::Inputs files_to_read(const build::BuildInputs& inputs);

start::Decision choose_start(const StartQuestion& question, Surroundings& surroundings);

/// For a decision without a start: says why, and throws Error (refused) with the lines to paste.
[[noreturn]] void refuse_without_start(const build::BuildInputs& inputs, const start::Decision& decision,
                                       Surroundings& surroundings);

/// "uvicorn main:app --port 8000  (the application app, main.py:3)"
std::string start_text(const start::StartCommand& start);

/// {"entrypoint", "cmd", "rule", "place"}, and what was taken of a Dockerfile and what was not.
Value start_value(const start::Decision& decision);

}  // namespace veneer::app
