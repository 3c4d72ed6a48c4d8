// A base that is an image, wherever it is. Thread-safe.
#pragma once

#include "base/base.hh"
#include "image/cache/layer_cache.hh"
#include "image/image.hh"
#include "image/places/image_place.hh"

namespace veneer::base {

/// What veneer.lock says of an image of a registry.
struct KnownImage {
  LockedImage image;
  std::vector<LockedFile> files;
};

/// Reads the image at `place`; its layers are read when something asks for their files that `known`, if it is of the
/// same manifest, does not say; layers that are here are read rather than believed. Compressed layers stay where they
/// are (Base::blobs opens all). Every layer
/// is verified against its diff ID the first time that its tree is read; `cache`, which may be null and must outlive
/// the base, keeps the list of its files and the canonical gzip form of layers that are not compressed, which takes
/// their place. Errors: not_found when there is no such image or none for `platform`, refused and verification for what
/// is malformed.
Base read_image_base(const image::ImagePlace& place, const image::Platform& platform,
                     const image::PlaceContext& context, const image::LayerCache* cache, const KnownImage& known = {});

}  // namespace veneer::base
