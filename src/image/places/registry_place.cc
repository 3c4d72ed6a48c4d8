#include "image/places/registry_place.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/parallel.hh"
#include "image/media/stored_image.hh"
#include "image/media_type.hh"
#include "image/open_layer.hh"
#include "image/parse.hh"
#include "image/platform.hh"
#include "registry/kept_blobs.hh"
#include "registry/registries.hh"

namespace veneer::image {

namespace {

constexpr std::size_t parallel_downloads = 4;

std::shared_ptr<registry::Registries> registries_of(const PlaceContext& context) {
  if (context.registries != nullptr) return context.registries;
  registry::RegistriesOptions options;
  options.environment = context.environment;
  options.note = context.note;
  return std::make_shared<registry::Registries>(std::move(options));
}

/// Where one image is read from.
struct Origin {
  std::shared_ptr<registry::Registries> registries;
  std::vector<registry::Source> sources;
  registry::KeptBlobs kept;
  std::string name;
};

Origin origin_of(const Reference& reference, const PlaceContext& context) {
  auto registries = registries_of(context);
  auto sources = registries->sources(reference.registry, reference.repository);
  return {std::move(registries), std::move(sources), registry::KeptBlobs(context.cache),
          printable(reference.familiar())};
}

/// The layers of one image, each fetched when it is opened.
class RegistryBlobs : public Blobs {
 public:
  RegistryBlobs(std::shared_ptr<const Origin> origin, const std::vector<Layer>& layers,
                std::function<void(const std::string&)> progress)
      : origin_(std::move(origin)), progress_(std::move(progress)) {
    for (const Layer& layer : layers) sizes_.emplace(layer.blob, layer.size);
  }

  bool contains(const BlobDigest& digest) const override { return sizes_.contains(digest); }

  bool is_here(const BlobDigest& digest) const override {
    return contains(digest) && origin_->kept.find(digest.hash).has_value();
  }

  std::unique_ptr<ByteSource> open(const BlobDigest& digest) const override {
    const auto found = sizes_.find(digest);
    if (found == sizes_.end()) {
      throw Error(ErrorKind::not_found, fmt::format("{} has no layer {}", origin_->name, digest.text()));
    }
    std::filesystem::path path;
    fetch({*found}, [&](const std::filesystem::path& here) { path = here; });
    return open_blob_file(path, digest, "the same command fetches it again", [path] {
      std::error_code ignored;
      std::filesystem::remove(path, ignored);
    });
  }

  /// The largest first, so that none of them is left alone with the line at the end.
  void bring(const std::set<BlobDigest>& digests) const override {
    std::vector<std::pair<BlobDigest, std::uint64_t>> missing;
    for (const auto& [digest, size] : sizes_) {
      if (digests.contains(digest) && !is_here(digest)) missing.emplace_back(digest, size);
    }
    std::ranges::stable_sort(missing, std::greater{}, [](const auto& row) { return row.second; });
    fetch(missing, [](const auto&) {});
  }

  std::optional<std::filesystem::path> path(const BlobDigest& digest) const override {
    return origin_->kept.find(digest.hash);
  }

 private:
  void fetch(const std::vector<std::pair<BlobDigest, std::uint64_t>>& blobs,
             const std::function<void(const std::filesystem::path&)>& on_here) const {
    std::mutex mutex;
    std::uint64_t come = 0;
    std::uint64_t all = 0;
    for (const auto& [digest, size] : blobs) all += size;
    const auto on_bytes = [&](std::int64_t count) {
      const std::lock_guard lock(mutex);
      come += static_cast<std::uint64_t>(count);
      progress_(fmt::format("fetching {}: {:.1f} of {:.1f} MB", origin_->name, static_cast<double>(come) / 1e6,
                            static_cast<double>(all) / 1e6));
    };
    parallel_for(blobs.size(), parallel_downloads, [&](std::size_t i) {
      const auto& [digest, size] = blobs[i];
      on_here(origin_->kept.get(digest, size, *origin_->registries, origin_->sources, on_bytes));
    });
  }

  std::shared_ptr<const Origin> origin_;
  std::function<void(const std::string&)> progress_;
  std::map<BlobDigest, std::uint64_t> sizes_;
};

class RegistryPlace : public ImagePlace {
 public:
  explicit RegistryPlace(Reference reference, std::optional<ManifestDigest> pinned = std::nullopt)
      : reference_(with_default_tag(std::move(reference))), pinned_(pinned ? pinned : reference_.digest) {}

  OpenedImage read(const std::optional<Platform>& platform, const PlaceContext& context) const override {
    auto origin = std::make_shared<Origin>(origin_of(reference_, context));
    std::optional<ManifestDigest> named;
    bool is_from_registry = false;
    SealedImage sealed = in_context([&] { return "image " + origin->name; },
                                    [&] {
                                      registry::Document first = first_document(*origin, is_from_registry);
                                      named = first.digest;
                                      return read_sealed(*origin, std::move(first), platform);
                                    });
    is_from_registry = is_from_registry && named == sealed.manifest_digest;  // of an index the rest may be the cache's
    auto blobs = std::make_shared<RegistryBlobs>(origin, sealed.image.layers, context.progress);
    return {std::move(sealed), std::move(blobs), "registry:" + reference_.full(), reference(), named, is_from_registry};
  }

  std::shared_ptr<const ImagePlace> pinned(const ManifestDigest& manifest) const override {
    return std::make_shared<RegistryPlace>(reference_, manifest);
  }

  std::optional<Reference> reference() const override {
    if (reference_.digest || !reference_.tag) return std::nullopt;
    return reference_;
  }

 private:
  registry::Document first_document(const Origin& origin, bool& is_from_registry) const {
    if (pinned_) return document(origin, *pinned_, {});
    const auto found = origin.registries->first_of(
        origin.sources, [&](const registry::Source& source) -> std::optional<registry::Document> {
          if (!source.serves_tags) return std::nullopt;
          is_from_registry = source.kind == registry::Source::Kind::registry;
          return source.repository.manifest(*reference_.tag);
        });
    if (!found) throw_missing();
    origin.kept.keep_document(found->digest.hash, found->text);
    return *found;
  }

  /// By its digest; from the cache when it is there.
  registry::Document document(const Origin& origin, const ManifestDigest& digest, const std::string& media_type) const {
    if (auto text = origin.kept.document(digest.hash)) return {media_type, std::move(*text), digest};
    const auto found = origin.registries->first_of(
        origin.sources, [&](const registry::Source& source) -> std::optional<registry::Document> {
          if (!source.serves_digests) return std::nullopt;
          return source.repository.manifest(digest.text());
        });
    if (!found) throw_missing();
    origin.kept.keep_document(digest.hash, found->text);
    return {media_type.empty() ? found->media_type : media_type, found->text, digest};
  }

  [[noreturn]] void throw_missing() const {
    throw Error(ErrorKind::not_found, fmt::format("the registry {} has no image {}", printable(reference_.registry),
                                                  printable(reference_.full())));
  }

  SealedImage read_sealed(const Origin& origin, registry::Document current,
                          const std::optional<Platform>& platform) const {
    for (std::size_t depth = 0; is_index(current); ++depth) {
      if (depth == deepest_index) {
        throw Error(ErrorKind::refused, fmt::format("indexes are nested more than {} deep", deepest_index));
      }
      const Index index = parse_index(current.text, known(current.media_type));
      const bool is_open = !platform && std::ranges::count_if(index.manifests, is_usable) > 1;
      const Descriptor& entry = select_entry(index, is_open ? native_platform() : platform);
      const std::uint64_t promised = entry.size;
      current = document(origin, {entry.digest.hash}, entry.media_type);
      if (current.text.size() != promised) {
        throw Error(ErrorKind::verification, fmt::format("{} has {} bytes, not the {} promised", entry.digest.text(),
                                                         current.text.size(), promised));
      }
    }
    SealedImage image;
    image.manifest = std::move(current.text);
    image.manifest_digest = current.digest;
    const Manifest manifest = parse_manifest(image.manifest, known(current.media_type));
    image.config_digest = {manifest.config.digest.hash};
    image.config = config(origin, manifest.config);
    image.image = make_image(manifest, parse_config(image.config));
    if (platform && !matches(image.image.config.platform, *platform)) {
      throw Error(ErrorKind::not_found,
                  fmt::format("the image is for {}, not for {}", printable(platform_text(image.image.config.platform)),
                              platform_text(*platform)));
    }
    return image;
  }

  static std::string config(const Origin& origin, const Descriptor& descriptor) {
    if (descriptor.size > small_blob_limit) {
      throw Error(ErrorKind::refused, fmt::format("the configuration {} has {} bytes; more than {} are not accepted",
                                                  descriptor.digest.text(), descriptor.size, small_blob_limit));
    }
    const std::filesystem::path path =
        origin.kept.get(descriptor.digest, descriptor.size, *origin.registries, origin.sources);
    const auto source = open_blob_file(path, descriptor.digest, "the same command fetches it again");
    const Bytes bytes = read_all(*source, small_blob_limit);
    return std::string(as_text(bytes));
  }

  /// A document says itself what it is when its registry does not.
  static std::string_view known(const std::string& media_type) {
    return document_kind(media_type) == DocumentKind::other ? std::string_view() : std::string_view(media_type);
  }
  static bool is_index(const registry::Document& document) {
    switch (document_kind(document.media_type)) {
      case DocumentKind::index: return true;
      case DocumentKind::manifest: return false;
      case DocumentKind::other: break;
    }
    return document.text.find("\"manifests\"") != std::string::npos &&
           document.text.find("\"layers\"") == std::string::npos;
  }

  Reference reference_;
  std::optional<ManifestDigest> pinned_;
};

}  // namespace

std::shared_ptr<const ImagePlace> registry_place(Reference reference) {
  return std::make_shared<RegistryPlace>(std::move(reference));
}

std::shared_ptr<const Blobs> registry_blobs(const Reference& reference, const std::vector<Layer>& layers,
                                            const PlaceContext& context) {
  return std::make_shared<RegistryBlobs>(std::make_shared<Origin>(origin_of(reference, context)), layers,
                                         context.progress);
}

PlaceKind registry_kind() {
  PlaceKind kind{"registry", "registry:REF", PlaceKind::Access::reads, PlaceKind::PlainNames::of_registries, {}};
  kind.find = [](std::string_view rest, Use, const std::filesystem::path&) {
    return registry_place(parse_reference(rest));
  };
  return kind;
}

}  // namespace veneer::image
