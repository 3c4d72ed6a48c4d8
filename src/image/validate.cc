#include "image/validate.hh"

#include <fmt/format.h>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/layer_limit.hh"
#include "image/history.hh"

namespace veneer::image {

namespace {

std::string check_label(const Image& image) {
  const Value* labels = image.config.run.find("Labels");
  if (labels == nullptr || !labels->is_table()) return {};
  const Value* label = labels->find(layers_label);
  if (label == nullptr) return {};
  const auto rows = label->is_string() ? read_layers_label(label->string(), image.layers.size()) : std::nullopt;
  if (!rows) return fmt::format("the label {} is malformed or tells of another number of layers", layers_label);
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const LabelledLayer& row = (*rows)[i];
    const Layer& layer = image.layers[i];
    // An image may be stored in another form than it was built in; then the digest differs, and so must the encoding.
    if (row.encoding == layer.encoding && (row.blob != layer.blob || row.size != layer.size)) {
      return fmt::format("the label {} names another blob for layer {}", layers_label, i + 1);
    }
  }
  return {};
}

}  // namespace

std::vector<std::string> validate_image(const Image& image) {
  std::vector<std::string> findings;
  if (image.layers.size() > mountable_layers) {
    findings.push_back(fmt::format("{} layers are more than the {} that Docker mounts on overlay2", image.layers.size(),
                                   mountable_layers));
  }
  if (!history_fits(image.config.history, image.layers.size())) {
    findings.emplace_back(
        "the history does not have one entry a layer, so which instruction made which layer is uncertain");
  }
  const std::string& created = image.config.created;
  if (created.empty()) {
    findings.emplace_back("it has no creation time; jobs that prune by age delete it");
  } else if (created.starts_with("1970-01-01") || created.starts_with("0001-01-01")) {
    findings.push_back(fmt::format("its creation time is {}; jobs that prune by age delete it", printable(created)));
  }
  if (image.config.platform.os.empty() || image.config.platform.architecture.empty()) {
    findings.emplace_back("it does not say for which platform it is");
  }
  if (std::string finding = check_label(image); !finding.empty()) findings.push_back(std::move(finding));
  return findings;
}

std::vector<std::string> validate_image(const SealedImage& image) {
  std::vector<std::string> findings = validate_image(image.image);
  const Value manifest = parse_json(image.manifest);
  const Value::Array& layers = manifest.at("layers").array();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Value* type = layers[i].find("mediaType");
    if (type == nullptr || !type->is_string() ||
        type->string() != "application/vnd.docker.image.rootfs.diff.tar.zstd") {
      continue;
    }
    findings.push_back(fmt::format(
        "layer {} is compressed by zstd in a manifest of Docker's schema 2, which has no type for it: many engines and "
        "registries refuse such an image; an OCI manifest may have zstd layers",
        i + 1));
  }
  return findings;
}

}  // namespace veneer::image
