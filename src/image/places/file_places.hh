// Images in a folder or a file of this machine: OCI layouts and archives. Registered in places.cc. Thread-safe.
#pragma once

#include "image/places/image_place.hh"

namespace veneer::image {

PlaceKind oci_layout_kind();
PlaceKind docker_archive_kind();

/// What stands behind oci: and docker-archive:. DIR and FILE may hold colons, and so may a TAG, which can be a whole
/// name ("app.tar:registry.example:5000/shop:1.2"): the path is the longest that exists; when none does, it ends at the
/// first colon behind the last folder that exists. Throws Error (usage) for an empty path or tag.
struct PathAndTag {
  std::filesystem::path path;  // beginning at the folder that was given, when it is relative
  std::optional<std::string> tag;
};
PathAndTag split_path_and_tag(std::string_view rest, const std::filesystem::path& folder);

}  // namespace veneer::image
