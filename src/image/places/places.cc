#include "image/places/engine_place.hh"
#include "image/places/file_places.hh"
#include "image/places/image_place.hh"
#include "image/places/registry_place.hh"

namespace veneer::image {

const std::vector<PlaceKind>& place_kinds() {
  static const std::vector<PlaceKind> kinds = {
      oci_layout_kind(), docker_archive_kind(), docker_kind(), podman_kind(), registry_kind(),
  };
  return kinds;
}

}  // namespace veneer::image
