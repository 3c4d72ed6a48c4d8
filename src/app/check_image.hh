// Does an image work?
#pragma once

#include "app/open_image.hh"
#include "app/surroundings.hh"
#include "check/check_image.hh"

namespace veneer::app {

/// Unpacks what must be run into the cache's folder for temporary files. Throws Error as check::check_image() does.
check::CheckReport check_image(const OpenedImage& image, check::ImportChoice imports, Surroundings& surroundings);

}  // namespace veneer::app
