#include "image/manifest.hh"

#include "foundation/json.hh"
#include "image/media_type.hh"

namespace veneer::image {

namespace {

Value annotations_value(const Annotations& annotations) {
  Value value{Value::Table{}};
  for (const auto& [key, text] : annotations) value.set(key, text);
  return value;
}

}  // namespace

Value descriptor_value(std::string_view media_type, const std::string& digest, std::uint64_t size) {
  Value value;
  value.set("mediaType", media_type);
  value.set("digest", digest);
  value.set("size", size);
  return value;
}

Value platform_value(const Platform& platform) {
  Value value;
  value.set("architecture", platform.architecture);
  value.set("os", platform.os);
  if (!platform.variant.empty()) value.set("variant", platform.variant);
  return value;
}

std::string manifest_json(const Image& image, const ConfigDigest& config_digest, std::uint64_t config_size) {
  Value document;
  document.set("schemaVersion", 2);
  document.set("mediaType", oci_manifest_type);
  document.set("config", descriptor_value(oci_config_type, config_digest.text(), config_size));
  Value::Array layers;
  for (const Layer& layer : image.layers) {
    layers.push_back(descriptor_value(layer_media_type(layer.encoding), layer.blob.text(), layer.size));
  }
  document.set("layers", std::move(layers));
  if (!image.annotations.empty()) document.set("annotations", annotations_value(image.annotations));
  return to_json(document);
}

Value manifest_descriptor(const SealedImage& image, const Annotations& annotations) {
  // A manifest that was read keeps its bytes, and so its own media type.
  const std::string media_type = parse_json(image.manifest).string_or("mediaType", oci_manifest_type);
  Value value = descriptor_value(media_type, image.manifest_digest.text(), image.manifest.size());
  if (!annotations.empty()) value.set("annotations", annotations_value(annotations));
  value.set("platform", platform_value(image.image.config.platform));
  return value;
}

}  // namespace veneer::image
