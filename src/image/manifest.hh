// The JSON documents of an image as veneer writes them: fixed key order, no white space. Pure, thread-safe.
// docs/formats.md, "Configuration and manifest", describes them.
#pragma once

#include <cstdint>
#include <string>

#include "foundation/value.hh"
#include "image/image.hh"

namespace veneer::image {

/// {"mediaType": ..., "digest": ..., "size": ...} (image-spec descriptor.md).
Value descriptor_value(std::string_view media_type, const std::string& digest, std::uint64_t size);

/// {"architecture": ..., "os": ..., "variant": ...}; the variant only when there is one.
Value platform_value(const Platform& platform);

/// An OCI image manifest for `image`, whose configuration has `config_digest`.
std::string manifest_json(const Image& image, const ConfigDigest& config_digest, std::uint64_t config_size);

/// The descriptor of `image`'s manifest for an index, with its platform and, when there are any, `annotations`.
Value manifest_descriptor(const SealedImage& image, const Annotations& annotations);

}  // namespace veneer::image
