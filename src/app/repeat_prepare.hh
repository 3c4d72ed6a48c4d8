// Does what prepares files of an image make the same twice?
#pragma once

#include "app/open_image.hh"
#include "app/surroundings.hh"
#include "check/finding.hh"

namespace veneer::app {

/// Runs the [[tool.veneer.prepare]] steps of the project here twice on `image`, each time on a fresh copy of it without
/// its prepared files; what differs are problems ("repeat:/app/static/x"). Throws Error: refused for a project without
/// steps, and what the steps throw.
check::Findings repeat_prepare(const OpenedImage& image, Surroundings& surroundings);

}  // namespace veneer::app
