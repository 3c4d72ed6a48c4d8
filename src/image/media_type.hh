// The media types that veneer writes and understands: those of the OCI image specification 1.1 and of Docker's
// schema 2. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "archive/compression.hh"

namespace veneer::image {

inline constexpr std::string_view oci_manifest_type = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view oci_index_type = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view oci_config_type = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view docker_manifest_type = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view docker_index_type = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view docker_config_type = "application/vnd.docker.container.image.v1+json";

enum class DocumentKind { manifest, index, other };
DocumentKind document_kind(std::string_view media_type);

bool is_config_type(std::string_view media_type);

/// The OCI media type of a layer stored in `encoding`.
std::string_view layer_media_type(archive::Encoding encoding);
/// How a layer of that media type (OCI or Docker) is stored; nothing for types that are no layers we can read.
std::optional<archive::Encoding> layer_encoding(std::string_view media_type);

/// "tar", "gzip" or "zstd", as encoding_name() gives; nothing for other words.
std::optional<archive::Encoding> encoding_from_name(std::string_view name);

}  // namespace veneer::image
