#include "image/media_type.hh"

namespace veneer::image {

using archive::Encoding;

DocumentKind document_kind(std::string_view media_type) {
  if (media_type == oci_manifest_type || media_type == docker_manifest_type) return DocumentKind::manifest;
  if (media_type == oci_index_type || media_type == docker_index_type) return DocumentKind::index;
  return DocumentKind::other;
}

bool is_config_type(std::string_view media_type) {
  return media_type == oci_config_type || media_type == docker_config_type;
}

std::string_view layer_media_type(Encoding encoding) {
  switch (encoding) {
    case Encoding::tar: return "application/vnd.oci.image.layer.v1.tar";
    case Encoding::gzip: return "application/vnd.oci.image.layer.v1.tar+gzip";
    case Encoding::zstd: return "application/vnd.oci.image.layer.v1.tar+zstd";
  }
  return {};
}

std::optional<Encoding> layer_encoding(std::string_view media_type) {
  for (const Encoding encoding : {Encoding::tar, Encoding::gzip, Encoding::zstd}) {
    if (media_type == layer_media_type(encoding)) return encoding;
  }
  if (media_type == "application/vnd.docker.image.rootfs.diff.tar") return Encoding::tar;
  if (media_type == "application/vnd.docker.image.rootfs.diff.tar.gzip") return Encoding::gzip;
  if (media_type == "application/vnd.docker.image.rootfs.diff.tar.zstd") return Encoding::zstd;
  return std::nullopt;
}

std::optional<Encoding> encoding_from_name(std::string_view name) {
  if (name == "tar") return Encoding::tar;
  if (name == "gzip") return Encoding::gzip;
  if (name == "zstd") return Encoding::zstd;
  return std::nullopt;
}

}  // namespace veneer::image
