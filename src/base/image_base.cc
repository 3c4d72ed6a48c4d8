#include "base/image_base.hh"

#include <algorithm>

#include "archive/gzip_tar.hh"
#include "foundation/error.hh"
#include "image/open_layer.hh"

namespace veneer::base {

namespace {

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
  // The cache outlives the base, as its caller promises.
  const std::shared_ptr<const image::Blobs> made(std::shared_ptr<void>(), &cache);
  base.blobs = image::blobs_of_both(base.blobs, made);
}

bool has_layers(const Base& base) {
  return std::all_of(base.layers.begin(), base.layers.end(),
                     [&](const image::Layer& layer) { return base.blobs->path(layer.blob).has_value(); });
}

}  // namespace

Base read_image_base(const image::ImagePlace& place, const image::Platform& platform,
                     const image::PlaceContext& context, const image::LayerCache* cache, const KnownImage& known) {
  image::OpenedImage opened = place.read(platform, context);
  Base base;
  base.name = std::move(opened.name);
  base.blobs = std::move(opened.blobs);
  base.image.config = opened.sealed.config_digest;
  if (opened.named) {
    base.image.manifest = opened.sealed.manifest_digest;
    if (opened.named != base.image.manifest) base.image.index = opened.named;
  }
  base.layers = std::move(opened.sealed.image.layers);
  base.config = std::move(opened.sealed.image.config);
  const image::Platform& found = base.config.platform;
  if (found.os != platform.os || found.architecture != platform.architecture) {
    throw Error(ErrorKind::refused, "it is for " + printable(found.os) + "/" + printable(found.architecture) +
                                        ", not for " + platform.os + "/" + platform.architecture);
  }
  if (cache != nullptr) compress_layers(base, *cache);
  const bool is_known = known.image.manifest && known.image.manifest == base.image.manifest;
  base.files = files_of(base, cache, is_known && !has_layers(base) ? known.files : std::vector<LockedFile>());
  return base;
}

}  // namespace veneer::base
