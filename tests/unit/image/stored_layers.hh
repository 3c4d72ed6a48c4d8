// Layers and images made in memory, for the tests of what stores images.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "archive/layer_writer.hh"
#include "foundation/error.hh"
#include "image/blobs.hh"
#include "image/image.hh"

namespace veneer::tests {

class MemoryBlobs : public image::Blobs {
 public:
  bool contains(const BlobDigest& digest) const override { return blobs_.contains(digest); }
  std::unique_ptr<ByteSource> open(const BlobDigest& digest) const override {
    const auto found = blobs_.find(digest);
    if (found == blobs_.end()) throw Error(ErrorKind::not_found, "no blob " + digest.text());
    return image::verify_blob(std::make_unique<MemorySource>(found->second), digest);
  }
  void add(const BlobDigest& digest, Bytes bytes) { blobs_.insert_or_assign(digest, std::move(bytes)); }

  /// A gzip layer of files by name and text.
  image::Layer add_layer(const std::vector<std::pair<std::string, std::string>>& files) {
    BytesSink sink;
    archive::LayerWriter writer(sink);
    for (const auto& [path, text] : files) {
      archive::TarEntry entry;
      entry.path = path;
      entry.mode = 0644;
      const archive::MemoryContent content(text);
      writer.add(entry, &content);
    }
    const archive::WrittenLayer written = writer.finish();
    add(written.blob, sink.take());
    return {written.diff_id, image::Encoding::gzip, written.blob, written.blob_size};
  }

 private:
  std::map<BlobDigest, Bytes> blobs_;
};

inline image::Image image_of(std::vector<image::Layer> layers) {
  image::Image image;
  image.config.platform.architecture = "amd64";
  image.config.created = "2024-05-01T10:00:00Z";
  image.layers = std::move(layers);
  return image;
}

}  // namespace veneer::tests
