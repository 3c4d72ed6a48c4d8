// Layers of a registry's base that no build needed to read stay there: the project's store says where, in its file
// `elsewhere`, a line each of digest, size and name:
//
//   sha256:... 29126484 registry:docker.io/library/python:3.13-slim
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "image/blobs.hh"
#include "image/image.hh"
#include "image/media/oci_layout.hh"
#include "image/places/image_place.hh"

namespace veneer::image {

/// `layers` are at `place`, "registry:REF". Lines of other layers stay, as far as there is room for them.
void write_elsewhere(const std::filesystem::path& store, const std::string& place, const std::vector<Layer>& layers);

/// What the store has, and what it says to be elsewhere, which is fetched when it is opened.
std::shared_ptr<const Blobs> blobs_of_store(std::shared_ptr<const OciLayout> layout, const std::vector<Layer>& layers,
                                            const PlaceContext& context);

}  // namespace veneer::image
