#include "image/media/stored_image.hh"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "foundation/error.hh"
#include "image/media_type.hh"
#include "image/open_layer.hh"
#include "image/platform.hh"

namespace veneer::image {

namespace {

std::optional<Reference> try_parse(std::string_view text) {
  try {
    return with_default_tag(parse_reference(text));
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// The entries of `index` that `request` names.
Index named_entries(const Index& index, const ImageRequest& request) {
  Index found;
  std::set<std::string> names;
  const auto meant = request.tag ? meant_by(index, *request.tag) : std::nullopt;
  for (const Descriptor& descriptor : index.manifests) {
    const std::vector<std::string> own_names = names_of(descriptor);
    if (!request.tag || (meant && meant->means(descriptor))) found.manifests.push_back(descriptor);
    if (!own_names.empty() && is_usable(descriptor)) names.insert(own_names.front());
  }
  const bool is_answered = request.tag ? !found.manifests.empty() : names.size() < 2;
  if (!is_answered) throw_unanswered(request, {names.begin(), names.end()});
  return found;
}

}  // namespace

std::vector<std::string> names_of(const Descriptor& descriptor) {
  std::vector<std::string> names;
  for (const std::string_view key : {containerd_name_annotation, ref_name_annotation}) {
    const auto found = descriptor.annotations.find(std::string(key));
    if (found != descriptor.annotations.end()) names.push_back(found->second);
  }
  return names;
}

bool is_named(std::string_view name, std::string_view wanted) {
  if (name == wanted) return true;
  const bool is_whole_name = name.find_first_of(":/") != std::string_view::npos;
  if (!is_whole_name) return false;
  const std::optional<Reference> offered = try_parse(name);
  if (!offered) return false;
  if (offered->tag && *offered->tag == wanted) return true;
  const bool wants_whole_name = wanted.find_first_of(":/@") != std::string_view::npos;
  return wants_whole_name && offered == try_parse(wanted);
}

std::optional<std::string> find_name(const Index& index, const Reference& wanted) {
  std::optional<std::string> last;
  for (const Descriptor& descriptor : index.manifests) {
    for (const std::string& name : names_of(descriptor)) {
      const std::optional<Reference> offered = try_parse(name);
      if (!offered || offered->registry != wanted.registry || offered->repository != wanted.repository) continue;
      if (wanted.digest) {
        if (descriptor.digest.hash == wanted.digest->hash) return name;
      } else if (offered->tag == wanted.tag.value_or("latest")) {
        return name;
      } else if (!wanted.tag) {
        last = name;
      }
    }
  }
  return last;
}

bool Meant::means(const Descriptor& descriptor) const {
  const std::vector<std::string> names = names_of(descriptor);
  return (!digest || descriptor.digest.hash == digest->hash) &&
         std::ranges::any_of(names, [&](const std::string& own) { return is_named(own, name); });
}

std::optional<Meant> meant_by(const Index& index, std::string_view text) {
  Meant meant{std::string(text), std::nullopt};
  if (std::ranges::any_of(index.manifests, [&](const Descriptor& entry) { return meant.means(entry); })) return meant;
  try {
    const Reference reference = parse_reference(text);
    const std::optional<std::string> name = find_name(index, reference);
    if (!name) return std::nullopt;
    return Meant{*name, reference.digest};
  } catch (const Error&) {
    return std::nullopt;
  }
}

void throw_unanswered(const ImageRequest& request, const std::vector<std::string>& names) {
  std::string listing;
  for (const std::string& name : names) listing += (listing.empty() ? "" : ", ") + printable(name);
  if (request.tag) {
    throw Error(ErrorKind::not_found, fmt::format("there is no image '{}' here (there is: {})", printable(*request.tag),
                                                  listing.empty() ? "none with a name" : listing));
  }
  throw Error(ErrorKind::refused, fmt::format("there are several images here: {}", listing),
              "add :TAG to say which one is meant");
}

SealedImage read_image(const Blobs& blobs, const Descriptor& descriptor) {
  SealedImage image;
  image.manifest_digest = {descriptor.digest.hash};
  image.manifest = read_small_blob(blobs, descriptor.digest, descriptor.size);
  const Manifest manifest = parse_manifest(image.manifest, descriptor.media_type);
  image.config_digest = {manifest.config.digest.hash};
  image.config = read_small_blob(blobs, manifest.config.digest, manifest.config.size);
  image.image = make_image(manifest, parse_config(image.config));
  return image;
}

SealedImage read_indexed_image(const Blobs& blobs, std::string_view index_json, const ImageRequest& request) {
  Descriptor descriptor = select_entry(named_entries(parse_index(index_json), request), request.platform);
  for (std::size_t depth = 0; document_kind(descriptor.media_type) == DocumentKind::index; ++depth) {
    if (depth == deepest_index) {
      throw Error(ErrorKind::refused, fmt::format("indexes are nested more than {} deep", deepest_index));
    }
    const std::string json = read_small_blob(blobs, descriptor.digest, descriptor.size);
    const Index index = parse_index(json, descriptor.media_type);
    descriptor = select_entry(index, request.platform);
  }
  SealedImage image = read_image(blobs, descriptor);
  if (request.platform && !matches(image.image.config.platform, *request.platform)) {
    throw Error(ErrorKind::not_found,
                fmt::format("the image is for {}, not for {}", platform_text(image.image.config.platform),
                            platform_text(*request.platform)));
  }
  return image;
}

}  // namespace veneer::image
