// An image as veneer thinks of it: what runs, and the layers from bottom to top. Immutable values; media/ reads and
// writes them, build/ makes them, deliver/ plans their way to a host.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "archive/compression.hh"
#include "foundation/digest.hh"
#include "foundation/value.hh"

namespace veneer::image {

using archive::Encoding;

struct Layer {
  DiffId diff_id;
  Encoding encoding = Encoding::gzip;
  BlobDigest blob;
  std::uint64_t size = 0;  // of the blob, in bytes
};

struct Platform {
  std::string os = "linux";
  std::string architecture;  // Go's names: amd64, arm64, arm, ...
  std::string variant;       // "v7" for arm, usually empty
  auto operator<=>(const Platform&) const = default;
};

using Annotations = std::map<std::string, std::string>;

/// The OCI image configuration (image-spec config.md) without rootfs. `run` is its "config" object and `history` its
/// "history" array, both exactly as read or as they will be written: what we do not know survives.
struct RunConfig {
  Platform platform;
  std::string created;          // RFC 3339, may be empty
  Value run{Value::Table{}};    // Entrypoint, Cmd, Env, User, WorkingDir, ExposedPorts, Labels, ...
  std::vector<Value> history;   // one table an entry
  Value other{Value::Table{}};  // members of the configuration that are none of the above, e.g. "author"
};

struct Image {
  RunConfig config;
  std::vector<Layer> layers;  // bottom to top
  Annotations annotations;    // of the manifest
};

/// The label that holds the layer list: [[blob digest, size, encoding], ...] from bottom to top, as JSON.
inline constexpr std::string_view layers_label = "dev.veneer.layers";

/// Chain IDs of the layers, bottom to top (image-spec config.md, "Layer ChainID").
std::vector<ChainId> chain_ids(const std::vector<Layer>& layers);

/// `image` as the bytes that are stored and hashed. The same image gives the same bytes, always.
struct SealedImage {
  Image image;
  std::string config;  // JSON
  ConfigDigest config_digest;
  std::string manifest;  // JSON, OCI image manifest
  ManifestDigest manifest_digest;
};

/// Writes the layer list into the label, then configuration and manifest. History gets one non-empty entry a layer:
/// entries that are missing are added without guessing their text. Throws Error (refused) when there are more layers
/// than engines mount.
SealedImage seal(Image image);

/// Reads the label; nothing when it is absent or malformed, or does not have `layer_count` rows.
struct LabelledLayer {
  BlobDigest blob;
  std::uint64_t size = 0;
  Encoding encoding = Encoding::gzip;
};
std::optional<std::vector<LabelledLayer>> read_layers_label(std::string_view label, std::size_t layer_count);

}  // namespace veneer::image
