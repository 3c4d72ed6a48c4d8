// Reads what an image's descriptors name, verified. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "foundation/stream.hh"
#include "image/blobs.hh"
#include "image/image.hh"

namespace veneer::image {

/// The uncompressed tar of `layer`. Its reader throws Error (verification) at the latest at the end when the blob's
/// size or digest or the diff ID is not what `layer` says; so read it to the end before relying on it.
std::unique_ptr<ByteSource> open_layer(const Blobs& blobs, const Layer& layer);

/// Gives that tar to `read`, and reads to its end what is left of it. When `read` throws and the blob is damaged, the
/// Error says that, not what a damaged tar looks like.
void read_layer(const Blobs& blobs, const Layer& layer, const std::function<void(ByteSource& tar)>& read);

/// The blob of `layer` as it is stored; size and digest are verified in the same way.
std::unique_ptr<ByteSource> open_blob(const Blobs& blobs, const Layer& layer);

/// Manifests, indexes and configurations above this size are refused; registries stop at 4 MiB.
inline constexpr std::uint64_t small_blob_limit = 8ull << 20;

/// A whole JSON blob of exactly `size` bytes.
std::string read_small_blob(const Blobs& blobs, const BlobDigest& digest, std::uint64_t size);

}  // namespace veneer::image
