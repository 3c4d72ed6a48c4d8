// Images in registries, registry:REF. Registered in places.cc. Reading one fetches its manifest and configuration, and
// keeps both by digest; its layers are fetched one by one when they are opened (registry/kept_blobs.hh).
#pragma once

#include "image/places/image_place.hh"

namespace veneer::image {

PlaceKind registry_kind();

/// The image `reference` as its registry or a mirror has it; `text` is what may be written to mean it again.
std::shared_ptr<const ImagePlace> registry_place(Reference reference);

/// Layers of an image of that repository, each fetched when it is opened.
std::shared_ptr<const Blobs> registry_blobs(const Reference& reference, const std::vector<Layer>& layers,
                                            const PlaceContext& context);

}  // namespace veneer::image
