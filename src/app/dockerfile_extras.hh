// Extras and groups of dependencies that the project's Dockerfile installs: its image has them, so ours has them.
#pragma once

#include "app/surroundings.hh"
#include "build/image_builder.hh"

namespace veneer::app {

/// Adds them to inputs.project, and says so, unless [tool.veneer] has `extras` or `groups`, be they empty. What the
/// project does not have, and another member of the workspace that is installed, become findings; the group `dev` is
/// for development and stays out.
void take_dockerfile_extras(build::BuildInputs& inputs, Messages& messages);

}  // namespace veneer::app
