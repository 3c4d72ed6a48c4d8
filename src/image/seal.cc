#include <fmt/format.h>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/layer_limit.hh"
#include "image/history.hh"
#include "image/image.hh"
#include "image/manifest.hh"
#include "image/media_type.hh"

namespace veneer::image {

namespace {

void set_layers_label(Image& image) {
  Value::Array rows;
  for (const Layer& layer : image.layers) {
    rows.push_back(Value::Array{layer.blob.text(), layer.size, archive::encoding_name(layer.encoding)});
  }
  Value& run = image.config.run;
  const Value* old = run.find("Labels");
  Value labels = old != nullptr && !old->is_null() ? *old : Value(Value::Table{});
  labels.set(layers_label, to_json(rows));
  run.set("Labels", std::move(labels));
}

std::string config_json(const Image& image) {
  const RunConfig& config = image.config;
  Value document{Value::Table{}};
  if (!config.created.empty()) document.set("created", config.created);
  document.set("architecture", config.platform.architecture);
  if (!config.platform.variant.empty()) document.set("variant", config.platform.variant);
  document.set("os", config.platform.os);
  for (const auto& [key, value] : config.other.table()) document.set(key, value);
  document.set("config", config.run);
  Value::Array diff_ids;
  for (const Layer& layer : image.layers) diff_ids.emplace_back(layer.diff_id.text());
  Value rootfs;
  rootfs.set("type", "layers");
  rootfs.set("diff_ids", std::move(diff_ids));
  document.set("rootfs", std::move(rootfs));
  document.set("history", config.history);
  return to_json(document);
}

}  // namespace

std::vector<ChainId> chain_ids(const std::vector<Layer>& layers) {
  std::vector<ChainId> chain;
  for (const Layer& layer : layers) {
    chain.push_back({chain.empty() ? layer.diff_id.hash : sha256(chain.back().text() + " " + layer.diff_id.text())});
  }
  return chain;
}

SealedImage seal(Image image) {
  if (image.layers.size() > mountable_layers) {
    throw Error(ErrorKind::refused,
                fmt::format("the image has {} layers; engines mount at most {}", image.layers.size(), mountable_layers),
                "build it on a base of fewer layers");
  }
  make_history_consistent(image.config.history, image.layers.size());
  set_layers_label(image);
  SealedImage sealed;
  sealed.config = config_json(image);
  sealed.config_digest = {sha256(sealed.config)};
  sealed.manifest = manifest_json(image, sealed.config_digest, sealed.config.size());
  sealed.manifest_digest = {sha256(sealed.manifest)};
  sealed.image = std::move(image);
  return sealed;
}

std::optional<std::vector<LabelledLayer>> read_layers_label(std::string_view label, std::size_t layer_count) {
  try {
    std::vector<LabelledLayer> layers;
    const Value document = parse_json(label);
    for (const Value& row : document.array()) {
      const Value::Array& cells = row.array();
      if (cells.size() != 3 || cells[1].integer() < 0) return std::nullopt;
      const std::optional<Encoding> encoding = encoding_from_name(cells[2].string());
      if (!encoding) return std::nullopt;
      layers.push_back(
          {BlobDigest::parse(cells[0].string()), static_cast<std::uint64_t>(cells[1].integer()), *encoding});
    }
    if (layers.size() != layer_count) return std::nullopt;
    return layers;
  } catch (const Error&) {
    return std::nullopt;  // anyone can write a label
  }
}

}  // namespace veneer::image
