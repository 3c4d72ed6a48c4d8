// Looks an image over for what engines trip on. Called by `veneer inspect` and by tests over what veneer makes. Pure,
// thread-safe.
#pragma once

#include <string>
#include <vector>

#include "image/image.hh"

namespace veneer::image {

/// Findings in plain words, empty when there is nothing to say: more than 125 layers, a history that does not fit the
/// layers, so that which instruction made which layer is uncertain, a creation time that is missing or zero (prune jobs
/// delete such images), a missing platform, a layer label that does not tell of these layers.
std::vector<std::string> validate_image(const Image& image);

}  // namespace veneer::image
