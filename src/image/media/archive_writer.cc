#include "image/media/archive_writer.hh"

#include <fmt/format.h>

#include <array>
#include <string>

#include "archive/tar_writer.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "image/manifest.hh"
#include "image/media/stored_image.hh"
#include "image/media_type.hh"
#include "image/open_layer.hh"

namespace veneer::image {

namespace {

/// One file of the archive: text, or the blob of a layer.
struct Member {
  std::string path;
  std::string text;
  const Layer* layer = nullptr;

  std::uint64_t size() const { return layer != nullptr ? layer->size : text.size(); }
  Bytes header() const {
    archive::TarEntry entry;
    entry.path = path;
    entry.mode = 0644;
    entry.size = size();
    return archive::tar_header(entry);
  }
};

std::string blob_name(const Hash& hash) { return "blobs/sha256/" + hash.hex(); }

std::string index_json(const SealedImage& image, const std::vector<Reference>& names,
                       const Annotations& annotations_of_index) {
  Value::Array manifests;
  if (names.empty()) manifests.push_back(manifest_descriptor(image, {}));
  for (const Reference& name : names) {
    // Stores of containerd's kind and podman look at these two only, overlay2 at manifest.json only.
    Annotations annotations{{std::string(containerd_name_annotation), name.full()}};
    if (name.tag) annotations.emplace(ref_name_annotation, *name.tag);
    manifests.push_back(manifest_descriptor(image, annotations));
  }
  Value index;
  index.set("schemaVersion", 2);
  index.set("mediaType", oci_index_type);
  index.set("manifests", std::move(manifests));
  if (!annotations_of_index.empty()) {
    Value::Table table;
    for (const auto& [key, value] : annotations_of_index) table.emplace_back(key, value);
    index.set("annotations", std::move(table));
  }
  return to_json(index);
}

std::string docker_manifest_json(const SealedImage& image, const std::vector<Reference>& names) {
  Value::Array tags;
  for (const Reference& name : names) tags.emplace_back(name.familiar());
  Value::Array layers;
  for (const Layer& layer : image.image.layers) layers.emplace_back(blob_name(layer.blob.hash));
  Value entry;
  entry.set("Config", blob_name(image.config_digest.hash));
  entry.set("RepoTags", tags.empty() ? Value() : Value(std::move(tags)));
  entry.set("Layers", std::move(layers));
  return to_json(Value::Array{std::move(entry)});
}

std::vector<Member> members_of(const SealedImage& image, const std::vector<Reference>& wanted_names,
                               const std::set<BlobDigest>& layers_to_include, const Annotations& annotations) {
  std::vector<Reference> names;
  for (const Reference& name : wanted_names) names.push_back(with_default_tag(name));
  std::vector<Member> members;
  members.push_back({"oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}"});
  members.push_back({"index.json", index_json(image, names, annotations)});
  members.push_back({"manifest.json", docker_manifest_json(image, names)});
  members.push_back({blob_name(image.manifest_digest.hash), image.manifest});
  members.push_back({blob_name(image.config_digest.hash), image.config});
  std::set<BlobDigest> done;
  for (const Layer& layer : image.image.layers) {
    if (!layers_to_include.contains(layer.blob) || !done.insert(layer.blob).second) continue;
    members.push_back({blob_name(layer.blob.hash), {}, &layer});
  }
  return members;
}

void write_zeros(ByteSink& sink, std::size_t count) {
  static constexpr std::array<std::byte, 1024> zeros{};
  static_assert(archive::tar_end_size <= zeros.size());
  sink.write(ByteView(zeros).first(count));
}

}  // namespace

void write_archive(ByteSink& sink, const SealedImage& image, const Blobs& blobs, const std::vector<Reference>& names,
                   const std::set<BlobDigest>& layers_to_include, const Annotations& annotations) {
  blobs.bring(layers_to_include);
  for (const Member& member : members_of(image, names, layers_to_include, annotations)) {
    sink.write(member.header());
    if (member.layer != nullptr) {
      in_context([&] { return fmt::format("writing layer {} to the archive", member.layer->blob.text()); },
                 [&] { copy(*open_blob(blobs, *member.layer), sink); });
    } else {
      sink.write(as_bytes(member.text));
    }
    write_zeros(sink, archive::tar_padding(member.size()));
  }
  write_zeros(sink, archive::tar_end_size);
}

std::uint64_t archive_size(const SealedImage& image, const std::vector<Reference>& names,
                           const std::set<BlobDigest>& layers_to_include, const Annotations& annotations) {
  std::uint64_t size = archive::tar_end_size;
  for (const Member& member : members_of(image, names, layers_to_include, annotations)) {
    size += member.header().size() + member.size() + archive::tar_padding(member.size());
  }
  return size;
}

std::set<BlobDigest> all_layers(const Image& image) {
  std::set<BlobDigest> digests;
  for (const Layer& layer : image.layers) digests.insert(layer.blob);
  return digests;
}

}  // namespace veneer::image
