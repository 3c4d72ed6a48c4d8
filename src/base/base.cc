#include "base/base.hh"

#include <fmt/format.h>

#include <array>
#include <set>

#include "archive/compression.hh"
#include "base/tree_index.hh"
#include "foundation/error.hh"
#include "image/open_layer.hh"
#include "tree/apply_layer.hh"

namespace veneer::base {

namespace {

constexpr std::string_view note_kind = "base-tree";

/// A file's data inside of a layer's blob. Opening it reads the blob from its start.
class LayerContent : public archive::Content {
 public:
  LayerContent(std::shared_ptr<const image::Blobs> blobs, const image::Layer& layer, DataPlace place,
               std::uint64_t size)
      : blobs_(std::move(blobs)), blob_(layer.blob), encoding_(layer.encoding), place_(place), size_(size) {}

  std::uint64_t size() const override { return size_; }
  const DataPlace& place() const { return place_; }

  std::unique_ptr<ByteSource> open() const override {
    std::unique_ptr<ByteSource> tar = archive::open_encoded(blobs_->open(blob_), encoding_);
    std::array<std::byte, 64 * 1024> buffer;
    for (std::uint64_t left = place_.offset; left > 0;) {
      const std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size()));
      const std::size_t count = tar->read(std::span(buffer).first(want));
      if (count == 0) throw Error(ErrorKind::verification, "a layer of the base is shorter than before");
      left -= count;
    }
    return std::make_unique<Limited>(std::move(tar), size_);
  }

 private:
  class Limited : public ByteSource {
   public:
    Limited(std::unique_ptr<ByteSource> source, std::uint64_t size) : source_(std::move(source)), left_(size) {}
    std::size_t read(std::span<std::byte> into) override {
      const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left_));
      if (want == 0) return 0;
      const std::size_t count = source_->read(into.first(want));
      if (count == 0) throw Error(ErrorKind::verification, "a layer of the base is shorter than before");
      left_ -= count;
      return count;
    }

   private:
    std::unique_ptr<ByteSource> source_;
    std::uint64_t left_;
  };

  std::shared_ptr<const image::Blobs> blobs_;
  BlobDigest blob_;
  image::Encoding encoding_;
  DataPlace place_;
  std::uint64_t size_;
};

LayerKey index_key(const std::vector<image::Layer>& layers) {
  Sha256 hash;
  hash.update("base tree 2\n");
  // The blobs as well, since offsets are looked up through them.
  for (const image::Layer& layer : layers) hash.update(layer.diff_id.text() + " " + layer.blob.text() + "\n");
  return {hash.finish()};
}

}  // namespace

tree::FileTree read_tree(const std::vector<image::Layer>& layers, const std::shared_ptr<const image::Blobs>& blobs,
                         const image::LayerCache* cache) {
  const MakeContent make_content = [&](const DataPlace& place,
                                       std::uint64_t size) -> std::shared_ptr<const archive::Content> {
    if (place.layer >= layers.size()) return nullptr;
    return std::make_shared<LayerContent>(blobs, layers[place.layer], place, size);
  };
  const LayerKey key = index_key(layers);
  if (cache != nullptr) {
    if (const auto note = cache->note(note_kind, key)) {
      if (auto tree = read_tree_index(*note, make_content)) return std::move(*tree);
    }
  }
  tree::FileTree tree;
  std::set<BlobDigest> all;
  for (const image::Layer& layer : layers) all.insert(layer.blob);
  blobs->bring(all);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    in_context([&] { return fmt::format("reading layer {} of the base", i + 1); },
               [&] {
                 image::read_layer(*blobs, layers[i], [&](ByteSource& tar) {
                   tree::apply_layer(tree, tar, i,
                                     [&](const archive::TarEntry& entry, ByteSource&, std::uint64_t offset) {
                                       return make_content({i, offset}, entry.size);
                                     });
                 });
               });
  }
  if (cache != nullptr) {
    cache->set_note(note_kind, key, write_tree_index(tree, [](const archive::Content& content) {
                      return dynamic_cast<const LayerContent&>(content).place();
                    }));
  }
  return tree;
}

std::shared_ptr<const BaseFiles> files_of(const Base& base, const image::LayerCache* cache,
                                          std::vector<LockedFile> known) {
  return std::make_shared<BaseFiles>(
      [name = base.name, layers = base.layers, blobs = base.blobs, cache] {
        return in_context([&] { return "reading the base " + printable(name); },
                          [&] { return read_tree(layers, blobs, cache); });
      },
      std::move(known));
}

}  // namespace veneer::base
