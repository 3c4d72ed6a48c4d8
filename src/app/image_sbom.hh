// What an image holds, written down (see sbom/spdx.hh).
#pragma once

#include <string>

#include "app/surroundings.hh"
#include "image/blobs.hh"
#include "image/image.hh"

namespace veneer::app {

/// Reads all layers; the document in SPDX 2.3 JSON. What is not listed in it is said as a note.
std::string sbom_of(const image::SealedImage& image, const image::Blobs& blobs, Messages& messages);

}  // namespace veneer::app
