// Reads the JSON documents of images, strictly: they come from anyone. OCI image specification 1.1 and Docker's image
// manifest version 2, schema 2. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/digest.hh"
#include "image/image.hh"

namespace veneer::image {

/// image-spec descriptor.md. Members that are not listed here are passed over.
struct Descriptor {
  std::string media_type;
  BlobDigest digest;
  std::uint64_t size = 0;
  std::optional<Platform> platform;
  Annotations annotations;
};

struct Index {
  std::vector<Descriptor> manifests;
  Annotations annotations;
};

struct Manifest {
  Descriptor config;
  std::vector<Descriptor> layers;
  Annotations annotations;
};

struct ParsedConfig {
  RunConfig config;
  std::vector<DiffId> diff_ids;
};

// Each throws Error (refused) that says what is wrong: not JSON, a key twice, another schema version, a size that is no
// whole number, a digest by another algorithm than sha256, a document that is manifest and index at once
// (CVE-2021-41190), a media type that contradicts the one it was named by or that veneer does not know.

/// `named_type`: the media type of the descriptor that named the document; empty for a layout's index.json.
Index parse_index(std::string_view json, std::string_view named_type = {});
Manifest parse_manifest(std::string_view json, std::string_view named_type = {});
/// Besides: no rootfs, or one that is not made of layers.
ParsedConfig parse_config(std::string_view json);

/// Puts both together; an Error (refused) when there are more or fewer diff IDs than layers, or a layer is of a media
/// type that veneer cannot read.
Image make_image(const Manifest& manifest, ParsedConfig config);

/// A digest's JSON value as {size, digest, ...}, for documents with descriptors of their own.
Descriptor parse_descriptor(const Value& value);

}  // namespace veneer::image
