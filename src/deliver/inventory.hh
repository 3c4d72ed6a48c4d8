// What a host has, as far as it says so: the input of deliver(). Filled by deliver/receiver/, made up by tests. Values;
// thread-safe as values are. Everything in it is a hint from outside: a plan made from it may turn out wrong, and then
// the whole image is sent.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/digest.hh"
#include "foundation/layer_limit.hh"
#include "foundation/value.hh"
#include "image/image.hh"

namespace veneer::deliver {

/// When a host reuses a layer that it has. docs/receivers.md tells which engine is which.
enum class ReceiverKind {
  prefix,    // when every layer below is equal too (chain ID); the encoding does not matter
  blobs,     // when the stored blob has the same digest; neither order nor parent matters
  diff_ids,  // when the uncompressed content is equal; neither order nor parent matters
};
std::string_view receiver_kind_name(ReceiverKind kind);

struct Engine {
  std::string name;     // "docker" or "podman"
  std::string version;  // as the engine says it, printable
  int api_minor = 0;    // of version 1.x of the Docker Engine API
};

enum class Completeness { whole, incomplete, unknown };

struct KnownImage {
  Hash id;                         // of the configuration (prefix, diff_ids) or of the manifest or index (blobs)
  std::vector<std::string> names;  // full names with tag, see receiver/engine_name.hh; empty for an untagged image
  std::vector<DiffId> diff_ids;    // bottom to top
  std::optional<std::vector<image::LabelledLayer>> blobs;  // from our label, when it is valid: as many as diff_ids
  std::set<BlobDigest> found_blobs;                        // that it was seen to hold, where no label tells
  Completeness completeness = Completeness::unknown;
  std::uint64_t size = 0;  // bytes on the host's disk, all layers unpacked; 0 when it does not say
};

struct Limits {
  std::size_t layers = mountable_layers;  // that an image may have and still start
};

/// Whether the host can read its own layers back and lay them among what is sent.
enum class Splicing { impossible, possible };

/// Round trips of what comes after the inventory.
struct TakingTrips {
  int to_load = 1;
  int to_verify = 0;
  int a_name = 0;
};

/// What a receiver takes at a time.
enum class Intake {
  archive,  // a whole image, without the layers that it has
  blobs,    // each layer by itself, then the manifest: a registry
};

struct Inventory {
  ReceiverKind kind = ReceiverKind::prefix;
  Intake intake = Intake::archive;
  Engine engine;
  image::Platform machine;
  std::optional<std::uint64_t> free_disk;     // bytes, where images live
  std::optional<std::uint64_t> free_staging;  // bytes, where what is sent waits, if it does
  Splicing splicing = Splicing::impossible;
  std::uint64_t splice_bytes = 0;  // that a splice sends beside the layers
  std::vector<KnownImage> images;
  std::set<BlobDigest> blobs;                   // that it has beside those of its images
  std::map<BlobDigest, std::string> mountable;  // that it can take from another repository of its own, and which
  std::size_t images_not_asked = 0;             // that the host lists and whose layers are not known
  Limits limits;
  TakingTrips taking;
  int round_trips = 0;  // that it took to learn this
};

/// The image on the host that is `sealed`, complete or not; nullptr when there is none.
const KnownImage* find_same_image(const Inventory& inventory, const image::SealedImage& sealed);

/// The identifier that a host of this kind gives to `sealed`.
Hash image_id_on(ReceiverKind kind, const image::SealedImage& sealed);

/// The first name of `image`, or its shortened identifier; for sentences.
std::string display_name(const KnownImage& image);

}  // namespace veneer::deliver
