#include "image/media/docker_archive.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"
#include "image/manifest.hh"
#include "image/media/decompressed.hh"
#include "image/open_layer.hh"
#include "image/platform.hh"
#include "image/reference.hh"

namespace veneer::image {

namespace {

constexpr std::size_t most_images = 1000;
constexpr std::string_view blob_folder = "blobs/sha256/";

/// The digest that a file's name promises: "blobs/sha256/<hex>", or "<hex>.json" for a configuration.
std::optional<Hash> promised_hash(std::string_view name) {
  name.remove_prefix(name.rfind('/') + 1);
  if (name.ends_with(".json")) name.remove_suffix(5);
  return Hash::from_hex(name);
}

Encoding sniff(ByteSource& source) {
  std::array<std::byte, 4> start{};
  const std::string_view text = as_text(ByteView(start).first(read_full(source, start)));
  if (text.starts_with("\x1f\x8b")) return Encoding::gzip;
  if (text.starts_with("\x28\xb5\x2f\xfd")) return Encoding::zstd;
  return Encoding::tar;
}

}  // namespace

DockerArchive::DockerArchive(std::shared_ptr<const RandomAccess> file) : members_(std::move(file)) {
  const bool has_index = members_.contains("index.json");
  const bool has_manifest = members_.contains("manifest.json");
  if (!has_index && !has_manifest) refuse("the archive has neither an index.json nor a manifest.json, so no image");
  if (has_manifest) in_context([] { return "manifest.json"; }, [&] { read_docker_manifest(); });
  if (has_index) return;
  for (const Listed& listed : listed_) {
    images_.push_back(in_context([&] { return fmt::format("image with configuration {}", printable(listed.config)); },
                                 [&] { return make_image_of(listed); }));
  }
}

DockerArchive DockerArchive::open(const std::filesystem::path& file) {
  return in_context([&] { return fmt::format("archive {}", printable(file.native())); },
                    [&] { return DockerArchive(decompressed(std::make_shared<File>(file))); });
}

void DockerArchive::read_docker_manifest() {
  const Value document = parse_json(members_.read("manifest.json", small_blob_limit));
  const Value::Array& entries = document.array();
  if (entries.empty()) refuse("it lists no image");
  if (entries.size() > most_images) refuse(fmt::format("it lists more than {} images", most_images));
  for (const Value& entry : entries) {
    Listed listed;
    listed.config = entry.at("Config").string();
    const Value& layers = entry.at("Layers");
    if (!layers.is_null()) listed.layers = entry.strings_or_empty("Layers");
    const Value* tags = entry.find("RepoTags");
    if (tags != nullptr && !tags->is_null()) listed.names = entry.strings_or_empty("RepoTags");
    for (const std::string& name : listed.names) (void)parse_reference(name);
    listed_.push_back(std::move(listed));
  }
}

Layer DockerArchive::find_layer(const std::string& name, const DiffId& diff_id) {
  Layer layer;
  layer.diff_id = diff_id;
  layer.size = members_.size(name);
  layer.encoding = sniff(*members_.open(name));
  if (const auto hash = promised_hash(name); hash && name.starts_with(blob_folder)) {
    layer.blob = {*hash};
  } else if (layer.encoding == Encoding::tar) {
    layer.blob = {diff_id.hash};  // verified when it is read, as every promise
  } else {
    layer.blob = {sha256(*members_.open(name))};
  }
  by_digest_.emplace(layer.blob, name);
  return layer;
}

SealedImage DockerArchive::make_image_of(const Listed& listed) {
  SealedImage sealed;
  sealed.config = members_.read(listed.config, small_blob_limit);
  sealed.config_digest = {sha256(sealed.config)};
  if (const auto hash = promised_hash(listed.config); hash && *hash != sealed.config_digest.hash) {
    throw Error(ErrorKind::verification, fmt::format("it has the content of {}", sealed.config_digest.text()));
  }
  ParsedConfig parsed = parse_config(sealed.config);
  if (parsed.diff_ids.size() != listed.layers.size()) {
    refuse(fmt::format("manifest.json lists {} layers, but the configuration names {} diff IDs", listed.layers.size(),
                       parsed.diff_ids.size()));
  }
  sealed.image.config = std::move(parsed.config);
  for (std::size_t i = 0; i < listed.layers.size(); ++i) {
    sealed.image.layers.push_back(in_context([&] { return fmt::format("layer {}", i + 1); },
                                             [&] { return find_layer(listed.layers[i], parsed.diff_ids[i]); }));
  }
  sealed.manifest = manifest_json(sealed.image, sealed.config_digest, sealed.config.size());
  sealed.manifest_digest = {sha256(sealed.manifest)};
  return sealed;
}

std::size_t DockerArchive::select(const ImageRequest& request) const {
  std::vector<std::size_t> found;
  std::vector<std::string> names;
  Index index;  // of the images, as it would be in a layout
  std::vector<std::size_t> owners;
  for (std::size_t i = 0; i < listed_.size(); ++i) {
    const Listed& listed = listed_[i];
    names.push_back(listed.names.empty() ? listed.config : listed.names.front());
    for (const std::string& name : listed.names) {
      Descriptor entry;
      entry.digest = {images_[i].manifest_digest.hash};
      entry.annotations.emplace(containerd_name_annotation, name);
      index.manifests.push_back(std::move(entry));
      owners.push_back(i);
    }
    if (!request.tag) found.push_back(i);
  }
  if (const auto meant = request.tag ? meant_by(index, *request.tag) : std::nullopt) {
    for (std::size_t entry = 0; entry < owners.size(); ++entry) {
      const bool is_new = found.empty() || found.back() != owners[entry];
      if (is_new && meant->means(index.manifests[entry])) found.push_back(owners[entry]);
    }
  }
  if (found.empty()) throw_unanswered(request, names);
  if (found.size() > 1) throw_unanswered({}, names);
  const Platform& platform = images_[found.front()].image.config.platform;
  if (request.platform && !matches(platform, *request.platform)) {
    throw Error(ErrorKind::not_found, fmt::format("the image is for {}, not for {}", printable(platform_text(platform)),
                                                  platform_text(*request.platform)));
  }
  return found.front();
}

SealedImage DockerArchive::read(const ImageRequest& request) const {
  if (!images_.empty()) return images_[select(request)];
  SealedImage image = read_indexed_image(*this, members_.read("index.json", small_blob_limit), request);
  const bool agrees = listed_.empty() || std::any_of(listed_.begin(), listed_.end(), [&](const Listed& listed) {
                        return promised_hash(listed.config) == image.config_digest.hash &&
                               listed.layers.size() == image.image.layers.size();
                      });
  if (!agrees) {
    refuse(fmt::format("index.json and manifest.json tell of different images (the index of one with configuration {})",
                       image.config_digest.text()));
  }
  return image;
}

std::vector<std::string> DockerArchive::names() const {
  std::vector<std::string> names;
  for (const Listed& listed : listed_) names.insert(names.end(), listed.names.begin(), listed.names.end());
  return names;
}

std::optional<std::string> DockerArchive::annotation(std::string_view key) const {
  if (!members_.contains("index.json")) return std::nullopt;
  const Value index = parse_json(members_.read("index.json", small_blob_limit));
  const Value* value = index.table_or_empty("annotations").find(key);
  if (value == nullptr) return std::nullopt;
  return value->string();
}

bool DockerArchive::contains(const BlobDigest& digest) const {
  return by_digest_.contains(digest) || members_.contains(std::string(blob_folder) + digest.hex());
}

std::unique_ptr<ByteSource> DockerArchive::open(const BlobDigest& digest) const {
  const auto found = by_digest_.find(digest);
  const std::string name = found != by_digest_.end() ? found->second : std::string(blob_folder) + digest.hex();
  return verify_blob(members_.open(name), digest);
}

}  // namespace veneer::image
