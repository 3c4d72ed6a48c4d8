#include "image/parse.hh"

#include <fmt/format.h>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "image/media_type.hh"

namespace veneer::image {

namespace {

/// The member `key`, or nullptr when it is absent or null (Go writes null for what is empty).
const Value* present(const Value& table, std::string_view key) {
  const Value* value = table.find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string text_or_empty(const Value& table, std::string_view key) {
  return present(table, key) == nullptr ? std::string() : table.string_or(key, "");
}

Annotations parse_annotations(const Value& document) {
  Annotations annotations;
  if (const Value* value = present(document, "annotations")) {
    in_context([] { return "annotations"; },
               [&] {
                 for (const auto& [key, text] : value->table()) annotations.emplace(key, text.string());
               });
  }
  return annotations;
}

Platform parse_platform_value(const Value& value) {
  Platform platform;
  platform.os = text_or_empty(value, "os");
  platform.architecture = text_or_empty(value, "architecture");
  platform.variant = text_or_empty(value, "variant");
  return platform;
}

std::vector<Descriptor> parse_descriptors(const Value& document, std::string_view key) {
  std::vector<Descriptor> descriptors;
  const Value& list = document.at(key);
  in_context([&] { return fmt::format("key '{}'", key); },
             [&] {
               if (list.is_null()) return;
               for (const Value& item : list.array()) {
                 in_context([&] { return fmt::format("entry {}", descriptors.size() + 1); },
                            [&] { descriptors.push_back(parse_descriptor(item)); });
               }
             });
  return descriptors;
}

/// Checks what manifests and indexes have in common.
Value parse_document(std::string_view json, std::string_view named_type, DocumentKind wanted, std::string_view what) {
  Value document = parse_json(json);
  if (!document.is_table()) refuse(fmt::format("this is no {}: it is not an object", what));
  const Value* version = document.find("schemaVersion");
  if (version == nullptr || !version->is_integer() || version->integer() != 2) {
    refuse(fmt::format("the {} is not of schema version 2", what));
  }
  const std::string own_type = text_or_empty(document, "mediaType");
  for (const std::string_view type : {named_type, std::string_view(own_type)}) {
    if (!type.empty() && document_kind(type) != wanted) {
      refuse(fmt::format("media type '{}' is not that of a known {}", printable(type), what));
    }
  }
  if (!named_type.empty() && !own_type.empty() && own_type != named_type) {
    refuse(fmt::format("the {} says that it is '{}', but it was named as '{}'", what, own_type, named_type));
  }
  const bool has_manifest_keys = document.find("layers") != nullptr || document.find("config") != nullptr;
  const bool has_index_keys = document.find("manifests") != nullptr;
  if (has_manifest_keys && has_index_keys) refuse("the document is a manifest and an index at once");
  if (document.find("fsLayers") != nullptr) refuse("image manifests of schema version 1 are not supported");
  return document;
}

}  // namespace

Descriptor parse_descriptor(const Value& value) {
  Descriptor descriptor;
  descriptor.media_type = value.at("mediaType").string();
  descriptor.digest = BlobDigest::parse(value.at("digest").string());
  const Value& size = value.at("size");
  if (!size.is_integer() || size.integer() < 0) refuse("'size' is not a whole number of bytes");
  descriptor.size = static_cast<std::uint64_t>(size.integer());
  if (const Value* platform = present(value, "platform")) descriptor.platform = parse_platform_value(*platform);
  descriptor.annotations = parse_annotations(value);
  return descriptor;
}

Index parse_index(std::string_view json, std::string_view named_type) {
  return in_context([] { return "image index"; },
                    [&] {
                      const Value document = parse_document(json, named_type, DocumentKind::index, "image index");
                      return Index{parse_descriptors(document, "manifests"), parse_annotations(document)};
                    });
}

Manifest parse_manifest(std::string_view json, std::string_view named_type) {
  return in_context([] { return "image manifest"; },
                    [&] {
                      const Value document = parse_document(json, named_type, DocumentKind::manifest, "image manifest");
                      Manifest manifest;
                      manifest.config = in_context([] { return "key 'config'"; },
                                                   [&] { return parse_descriptor(document.at("config")); });
                      if (!is_config_type(manifest.config.media_type)) {
                        refuse(fmt::format("'{}' is not the configuration of a container image",
                                           printable(manifest.config.media_type)));
                      }
                      manifest.layers = parse_descriptors(document, "layers");
                      manifest.annotations = parse_annotations(document);
                      return manifest;
                    });
}

ParsedConfig parse_config(std::string_view json) {
  return in_context([] { return "image configuration"; },
                    [&] {
                      const Value document = parse_json(json);
                      ParsedConfig parsed;
                      parsed.config.platform = parse_platform_value(document);
                      parsed.config.created = text_or_empty(document, "created");
                      if (const Value* run = present(document, "config")) {
                        (void)run->table();
                        parsed.config.run = *run;
                      }
                      if (const Value* history = present(document, "history")) {
                        in_context([] { return "key 'history'"; },
                                   [&] {
                                     for (const Value& entry : history->array()) {
                                       (void)entry.boolean_or("empty_layer", false);
                                       parsed.config.history.push_back(entry);
                                     }
                                   });
                      }
                      const Value* rootfs = present(document, "rootfs");
                      if (rootfs == nullptr) refuse("it has no 'rootfs', so it is not that of a container image");
                      in_context([] { return "key 'rootfs'"; },
                                 [&] {
                                   if (const std::string& type = rootfs->at("type").string(); type != "layers") {
                                     refuse(fmt::format("its type is '{}', not 'layers'", printable(type)));
                                   }
                                   if (const Value* list = present(*rootfs, "diff_ids")) {
                                     for (const Value& item : list->array())
                                       parsed.diff_ids.push_back(DiffId::parse(item.string()));
                                   }
                                 });
                      for (const auto& [key, value] : document.table()) {
                        const bool is_known = key == "os" || key == "architecture" || key == "variant" ||
                                              key == "created" || key == "config" || key == "history" ||
                                              key == "rootfs";
                        if (!is_known) parsed.config.other.set(key, value);
                      }
                      return parsed;
                    });
}

Image make_image(const Manifest& manifest, ParsedConfig config) {
  if (config.diff_ids.size() != manifest.layers.size()) {
    refuse(fmt::format("the image has {} layers, but its configuration names {} diff IDs", manifest.layers.size(),
                       config.diff_ids.size()));
  }
  Image image;
  image.config = std::move(config.config);
  image.annotations = manifest.annotations;
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    const Descriptor& descriptor = manifest.layers[i];
    const std::optional<Encoding> encoding = layer_encoding(descriptor.media_type);
    if (!encoding) {
      refuse(fmt::format("layer {} has the media type '{}', which is not supported", i + 1,
                         printable(descriptor.media_type)));
    }
    image.layers.push_back({config.diff_ids[i], *encoding, descriptor.digest, descriptor.size});
  }
  return image;
}

}  // namespace veneer::image
