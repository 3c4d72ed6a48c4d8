// Images as they lie in a layout or an archive, and how one of them is named. Shared by the readers of both. Values and
// pure functions, thread-safe as far as the Blobs are.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "image/blobs.hh"
#include "image/image.hh"
#include "image/parse.hh"
#include "image/reference.hh"

namespace veneer::image {

/// Indexes within indexes.
inline constexpr std::size_t deepest_index = 4;
inline constexpr std::string_view ref_name_annotation = "org.opencontainers.image.ref.name";
inline constexpr std::string_view containerd_name_annotation = "io.containerd.image.name";

/// Which image is meant, where a store may hold several.
struct ImageRequest {
  std::optional<std::string> tag;    // a tag or a whole name; needed when there are several names
  std::optional<Platform> platform;  // needed when the image was made for several platforms
};

/// The names under which `descriptor` is listed: annotations, whole names first.
std::vector<std::string> names_of(const Descriptor& descriptor);

/// Whether an image listed as `name` (a tag or a whole name) is meant by `wanted`: equal texts, equal references, or
/// the tag of the reference.
bool is_named(std::string_view name, std::string_view wanted);

/// The name under which `index` lists what `wanted` means: what has its digest, else its tag, else (without both) what
/// is tagged "latest", else what was written last under any tag. Names that are no references are passed over.
std::optional<std::string> find_name(const Index& index, const Reference& wanted);

/// Which entries of an index a text stands for.
struct Meant {
  std::string name;                      // a tag or a whole name
  std::optional<ManifestDigest> digest;  // of the entry, when the text has it

  bool means(const Descriptor& descriptor) const;
};

/// What `text` stands for in `index`: what is_named() like it, else what find_name() finds for it ("shop",
/// "shop@sha256:
/// ..."); nothing when that is not here.
std::optional<Meant> meant_by(const Index& index, std::string_view text);

/// The Error for a request that `names` do not answer: not_found when there is a tag, refused (it lists them all) when
/// none was given and there are several.
[[noreturn]] void throw_unanswered(const ImageRequest& request, const std::vector<std::string>& names);

/// Reads the image that an OCI index lists. Indexes may be nested, 4 deep. The documents come out as they are stored,
/// verified; layers are not read and need not be there.
SealedImage read_indexed_image(const Blobs& blobs, std::string_view index_json, const ImageRequest& request);

/// Reads one manifest, verified as `descriptor` says, with its configuration.
SealedImage read_image(const Blobs& blobs, const Descriptor& descriptor);

}  // namespace veneer::image
