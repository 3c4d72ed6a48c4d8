// A kind of place that veneer does not know: images in memory, by a key. Shows what a new kind takes.
#pragma once

#include <map>

#include "foundation/error.hh"
#include "foundation/stream.hh"
#include "image/open_layer.hh"
#include "image/places/image_place.hh"
#include "tests/unit/image/stored_layers.hh"

namespace veneer::image::made_up {

struct KeptImage {
  SealedImage sealed;
  std::shared_ptr<tests::MemoryBlobs> blobs;
};
using Memory = std::map<std::string, KeptImage>;

class MemoryPlace : public ImagePlace {
 public:
  MemoryPlace(std::shared_ptr<Memory> memory, std::string key) : memory_(std::move(memory)), key_(std::move(key)) {}

  OpenedImage read(const std::optional<Platform>&, const PlaceContext&) const override {
    const auto found = memory_->find(key_);
    if (found == memory_->end()) throw Error(ErrorKind::not_found, "nothing is kept as " + key_);
    return {found->second.sealed, found->second.blobs, "memory:" + key_, std::nullopt};
  }
  std::optional<std::string> absence(const PlaceContext&) const override {
    return memory_->contains(key_) ? std::nullopt : std::optional<std::string>("nothing is kept there");
  }
  std::string write(const SealedImage& image, const Blobs& blobs, const std::string&, const KeptFiles&) const override {
    auto kept = std::make_shared<tests::MemoryBlobs>();
    for (const Layer& layer : image.image.layers) kept->add(layer.blob, read_all(*open_blob(blobs, layer), layer.size));
    (*memory_)[key_] = {image, std::move(kept)};
    return "memory, as " + key_;
  }

 private:
  std::shared_ptr<Memory> memory_;
  std::string key_;
};

inline PlaceKind memory_kind() {
  const auto memory = std::make_shared<Memory>();
  return {"memory", "memory:KEY", PlaceKind::Access::reads_and_writes, PlaceKind::PlainNames::looked_for,
          [memory](std::string_view rest, Use, const std::filesystem::path&) {
            return std::make_shared<MemoryPlace>(memory, std::string(rest));
          }};
}

}  // namespace veneer::image::made_up
