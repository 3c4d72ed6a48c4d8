// Writes images as archives that every engine loads: an OCI layout with Docker's manifest.json in one tar. Thread-safe
// for different sinks. docs/formats.md, "The archive", describes it byte by byte; docs/receivers.md says why it holds
// what it holds.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "foundation/stream.hh"
#include "image/blobs.hh"
#include "image/image.hh"
#include "image/reference.hh"

namespace veneer::image {

/// Streams the archive of `image` into `sink`, which is not committed. It is listed under each of `names` (those
/// without tag and digest get "latest"); without names it is loaded untagged. Of the layers only those in
/// `layers_to_include` are in it, each digest once; all others must be at the receiver. Configuration, manifest and the
/// lists are always in it. `annotations` are those of the archive's index: no digest depends on them. The same
/// arguments give the same bytes. Throws not_found when `blobs` lacks a layer that is wanted, verification when one is
/// not what the image says.
void write_archive(ByteSink& sink, const SealedImage& image, const Blobs& blobs, const std::vector<Reference>& names,
                   const std::set<BlobDigest>& layers_to_include, const Annotations& annotations = {});

/// Exactly how many bytes write_archive() will write.
std::uint64_t archive_size(const SealedImage& image, const std::vector<Reference>& names,
                           const std::set<BlobDigest>& layers_to_include, const Annotations& annotations = {});

/// The digests of all layers: a whole archive.
std::set<BlobDigest> all_layers(const Image& image);

}  // namespace veneer::image
