// Images of a registry, registry:REF: a name that is kept for them. Registered in places.cc.
#pragma once

#include "image/places/image_place.hh"

namespace veneer::image {

PlaceKind registry_kind();

}  // namespace veneer::image
