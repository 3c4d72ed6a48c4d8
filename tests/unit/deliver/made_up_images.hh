// Small images and inventories for the tests of deliver/: every layer is named by a word and has made-up content.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "deliver/inventory.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "image/blobs.hh"
#include "image/image.hh"

namespace veneer::deliver::made_up {

using Words = std::vector<std::string>;

inline std::string layer_bytes(const std::string& word) {
  return "the layer " + word + std::string(word.size() * 700, '.');
}

inline image::Layer layer_of(const std::string& word) {
  const std::string bytes = layer_bytes(word);
  return {DiffId{sha256("diff of " + word)}, image::Encoding::gzip, BlobDigest{sha256(bytes)}, bytes.size()};
}

inline image::SealedImage image_of(const Words& words, const std::string& command = "serve") {
  image::SealedImage sealed;
  sealed.image.config.platform = {"linux", "amd64", ""};
  Value::Array diff_ids;
  Value::Array descriptors;
  for (const std::string& word : words) {
    const image::Layer layer = layer_of(word);
    sealed.image.layers.push_back(layer);
    diff_ids.push_back(layer.diff_id.text());
    descriptors.push_back(Value::Table{{"mediaType", "application/vnd.oci.image.layer.v1.tar+gzip"},
                                       {"digest", layer.blob.text()},
                                       {"size", layer.size}});
  }
  sealed.config = to_json(Value::Table{{"architecture", "amd64"},
                                       {"os", "linux"},
                                       {"config", Value::Table{{"Cmd", Value::Array{command}}}},
                                       {"rootfs", Value::Table{{"type", "layers"}, {"diff_ids", diff_ids}}}});
  sealed.config_digest = ConfigDigest{sha256(sealed.config)};
  sealed.manifest =
      to_json(Value::Table{{"schemaVersion", 2},
                           {"mediaType", "application/vnd.oci.image.manifest.v1+json"},
                           {"config", Value::Table{{"mediaType", "application/vnd.oci.image.config.v1+json"},
                                                   {"digest", sealed.config_digest.text()},
                                                   {"size", std::uint64_t{sealed.config.size()}}}},
                           {"layers", descriptors}});
  sealed.manifest_digest = ManifestDigest{sha256(sealed.manifest)};
  return sealed;
}

/// An image on the host with these layers and, when `labelled`, a label that tells their blobs.
enum class Label { valid, absent };
inline KnownImage known(const std::string& name, const Words& words, Label label = Label::valid,
                        Completeness completeness = Completeness::whole) {
  KnownImage image;
  image.id = sha256("image " + name);
  image.names = {"docker.io/library/" + name};
  image.completeness = completeness;
  std::vector<image::LabelledLayer> blobs;
  for (const std::string& word : words) {
    const image::Layer layer = layer_of(word);
    image.diff_ids.push_back(layer.diff_id);
    blobs.push_back({layer.blob, layer.size, layer.encoding});
  }
  if (label == Label::valid) image.blobs = blobs;
  return image;
}

inline Inventory inventory_of(ReceiverKind kind, std::vector<KnownImage> images) {
  Inventory inventory;
  inventory.kind = kind;
  inventory.engine = {kind == ReceiverKind::diff_ids ? "podman" : "docker", "1.2.3", 50};
  inventory.machine = {"linux", "amd64", ""};
  inventory.images = std::move(images);
  return inventory;
}

class LayersInMemory : public image::Blobs {
 public:
  explicit LayersInMemory(const Words& words) {
    for (const std::string& word : words) layers_[layer_of(word).blob] = layer_bytes(word);
  }
  bool contains(const BlobDigest& digest) const override { return layers_.contains(digest); }
  std::unique_ptr<ByteSource> open(const BlobDigest& digest) const override {
    const auto found = layers_.find(digest);
    if (found == layers_.end()) throw Error(ErrorKind::not_found, "no blob " + digest.text());
    return std::make_unique<MemorySource>(as_bytes(found->second));
  }

 private:
  std::map<BlobDigest, std::string> layers_;
};

}  // namespace veneer::deliver::made_up
