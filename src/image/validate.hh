// Looks an image over for what engines trip on. Pure, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "image/image.hh"

namespace veneer::image {

/// Findings in plain words, empty when there is nothing to say: more layers than engines mount, a history that does not
/// fit the layers, so that which instruction made which layer is uncertain, a creation time that is missing or zero
/// (prune jobs delete such images), a missing platform, a layer label that does not tell of these layers.
std::vector<std::string> validate_image(const Image& image);
/// The same, and layers of its manifest whose form the manifest's own has no name for.
std::vector<std::string> validate_image(const SealedImage& image);

}  // namespace veneer::image
