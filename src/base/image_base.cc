#include "base/image_base.hh"

#include <algorithm>

#include "archive/gzip_tar.hh"
#include "foundation/error.hh"
#include "image/open_layer.hh"

namespace veneer::base {

namespace {

/// What was compressed anew is in the cache, all else where the base is.
class BlobsOfBase : public image::Blobs {
 public:
  BlobsOfBase(const image::LayerCache& cache, std::shared_ptr<const image::Blobs> others)
      : cache_(cache), others_(std::move(others)) {}
  bool contains(const BlobDigest& digest) const override {
    return others_->contains(digest) || cache_.contains(digest);
  }
  std::unique_ptr<ByteSource> open(const BlobDigest& digest) const override {
    return others_->contains(digest) ? others_->open(digest) : cache_.open(digest);
  }
  std::optional<std::filesystem::path> path(const BlobDigest& digest) const override {
    return others_->contains(digest) ? others_->path(digest) : cache_.path(digest);
  }

 private:
  const image::LayerCache& cache_;
  std::shared_ptr<const image::Blobs> others_;
};

/// The canonical gzip form of an uncompressed layer, made once for all images that have it.
image::Layer compressed(const image::Layer& layer, const image::Blobs& blobs, const image::LayerCache& cache) {
  const LayerKey key{sha256("veneer base layer 1\n" + layer.diff_id.text())};
  if (const auto cached = cache.find(key); cached && cached->layer.diff_id == layer.diff_id) return cached->layer;
  return cache
      .store(key,
             [&](ByteSink& blob) {
               const auto tar = image::open_layer(blobs, layer);
               const archive::WrittenLayer written = archive::gzip_tar(*tar, blob);
               if (written.diff_id != layer.diff_id) {
                 throw Error(ErrorKind::verification, "a layer is not " + layer.diff_id.text());
               }
               return written;
             })
      .layer;
}

void compress_layers(Base& base, const image::LayerCache& cache) {
  const auto is_plain = [](const image::Layer& layer) { return layer.encoding == image::Encoding::tar; };
  if (std::none_of(base.layers.begin(), base.layers.end(), is_plain)) return;
  for (image::Layer& layer : base.layers) {
    if (is_plain(layer)) layer = compressed(layer, *base.blobs, cache);
  }
  base.blobs = std::make_shared<BlobsOfBase>(cache, base.blobs);
}

}  // namespace

Base read_image_base(const image::ImagePlace& place, const image::Platform& platform,
                     const image::PlaceContext& context, const image::LayerCache* cache) {
  image::OpenedImage opened = place.read(platform, context);
  Base base;
  base.name = std::move(opened.name);
  base.blobs = std::move(opened.blobs);
  base.layers = std::move(opened.sealed.image.layers);
  base.config = std::move(opened.sealed.image.config);
  const image::Platform& found = base.config.platform;
  if (found.os != platform.os || found.architecture != platform.architecture) {
    throw Error(ErrorKind::refused, "it is for " + printable(found.os) + "/" + printable(found.architecture) +
                                        ", not for " + platform.os + "/" + platform.architecture);
  }
  base.tree = read_tree(base.layers, base.blobs, cache);
  if (cache != nullptr) compress_layers(base, *cache);
  return base;
}

}  // namespace veneer::base
