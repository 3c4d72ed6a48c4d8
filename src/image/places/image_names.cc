#include "image/places/image_names.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "image/media/oci_layout.hh"
#include "image/places/elsewhere.hh"
#include "image/places/registry_place.hh"

namespace veneer::image {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view plain_form = "name[:tag][@digest] of the project's store, a registry or a local engine";
constexpr std::string_view registry_form = "name[:tag][@digest] of a registry";
constexpr std::string_view base_form = "debian:SUITE, name[:tag][@digest] of a registry";

bool serves(const PlaceKind& kind, Use use) {
  return use != Use::output || kind.access == PlaceKind::Access::reads_and_writes;
}

std::string forms(std::string_view first, Use use, const PlaceKinds& kinds) {
  std::vector<std::string_view> all;
  if (!first.empty()) all.push_back(first);
  for (const PlaceKind& kind : kinds) {
    if (serves(kind, use) && !kind.form.empty()) all.push_back(kind.form);
  }
  std::string text;
  for (std::size_t i = 0; i < all.size(); ++i)
    text += fmt::format("{}{}", i == 0 ? "" : i + 1 == all.size() ? " or " : ", ", all[i]);
  return text;
}

const PlaceKind* kind_of(std::string_view text, const PlaceKinds& kinds) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return nullptr;
  for (const PlaceKind& kind : kinds) {
    if (text.substr(0, colon) == kind.prefix) return &kind;
  }
  return nullptr;
}

std::shared_ptr<const ImagePlace> find_place(const PlaceKind& kind, std::string_view text, Use use,
                                             const fs::path& folder) {
  try {
    return kind.find(text.substr(kind.prefix.size() + 1), use, folder);
  } catch (const Error& error) {
    const bool has_hint = !error.hint().empty();
    throw Error(ErrorKind::usage, fmt::format("'{}': {}", printable(text), error.what()),
                has_hint ? error.hint() : "it is written " + kind.form);
  }
}

/// A name without prefix as one of a registry.
std::shared_ptr<const ImagePlace> find_in_registry(std::string_view text, const std::string& hint) {
  try {
    return registry_place(parse_reference(text));
  } catch (const Error& error) {
    throw Error(ErrorKind::usage, error.what(), hint);
  }
}

/// The layout of the project, when anything was built there.
std::optional<OciLayout> store_of(const PlaceContext& context) {
  if (!fs::exists(context.store / "index.json")) return std::nullopt;
  return OciLayout::open(context.store);
}

std::string names_in(const OciLayout& store) {
  std::string names;
  for (const Descriptor& descriptor : store.index().manifests) {
    for (const std::string& name : names_of(descriptor)) names += (names.empty() ? "" : ", ") + name;
  }
  return names;
}

/// The begin of a hint; `listed` are the images of the store, if there is one.
std::string what_is_here(const std::optional<std::string>& listed) {
  if (!listed) return "run 'veneer build' in the project first";
  return "there is " + (listed->empty() ? "none" : *listed);
}

/// The image in the first place that takes plain names and has it; what the others say is added to `reasons`.
std::optional<OpenedImage> open_in_engines(const ImageName& name, const PlaceContext& context, const PlaceKinds& kinds,
                                           std::string& reasons) {
  for (const PlaceKind& kind : kinds) {
    if (kind.plain_names != PlaceKind::PlainNames::looked_for) continue;
    const std::string exact = kind.prefix + ":" + name.text;
    std::optional<std::string> absence;
    std::shared_ptr<const ImagePlace> place;
    try {
      place = kind.find(name.text, Use::image, {});
      absence = place->absence(context);
    } catch (const Error& error) {
      absence = error.what();
    }
    if (absence) {
      reasons += fmt::format("; {}: {}", kind.prefix, *absence);
      continue;
    }
    context.note(fmt::format("{} is {}", printable(name.text), printable(exact)));
    return place->read(name.platform, context);
  }
  return std::nullopt;
}

}  // namespace

std::string ImagePlace::write(const SealedImage& /*image*/, const Blobs& /*blobs*/, const std::string& /*name*/,
                              const KeptFiles& /*files*/) const {
  throw Error(ErrorKind::usage, "no image can be written there", "use " + output_forms());
}

ImageName read_image_name(std::string_view text, const PlaceKinds& kinds) {
  if (const PlaceKind* kind = kind_of(text, kinds)) {
    return {std::string(text), find_place(*kind, text, Use::image, {}), {}};
  }
  try {
    return {std::string(text), nullptr, parse_reference(text)};
  } catch (const Error& error) {
    throw Error(ErrorKind::usage, error.what(), "an image is " + forms(plain_form, Use::image, kinds));
  }
}

std::shared_ptr<const ImagePlace> read_base_name(std::string_view text, const fs::path& folder,
                                                 const PlaceKinds& kinds) {
  if (const PlaceKind* kind = kind_of(text, kinds)) return find_place(*kind, text, Use::base, folder);
  return find_in_registry(text, "a base is " + forms(base_form, Use::base, kinds));
}

ImageName read_pulled_name(std::string_view text, const PlaceKinds& kinds) {
  if (kind_of(text, kinds) != nullptr) return read_image_name(text, kinds);
  return {std::string(text), find_in_registry(text, "an image is " + forms(registry_form, Use::image, kinds)), {}};
}

std::shared_ptr<const ImagePlace> read_output_name(std::string_view text, const PlaceKinds& kinds) {
  const PlaceKind* kind = kind_of(text, kinds);
  if (kind != nullptr && serves(*kind, Use::output)) return find_place(*kind, text, Use::output, {});
  throw Error(ErrorKind::usage, fmt::format("'{}' is no place that an image can be written to", printable(text)),
              "use " + forms({}, Use::output, kinds) + "; 'veneer ship' brings it to an engine");
}

OpenedImage open_image(const ImageName& name, const PlaceContext& context, const PlaceKinds& kinds) {
  if (name.place) return name.place->read(name.platform, context);
  std::optional<OciLayout> store = store_of(context);
  if (store) {
    if (const auto found = find_name(store->index(), name.reference)) {
      if (!name.reference.tag) context.note(fmt::format("{} is {}", printable(name.text), printable(*found)));
      auto layout = std::make_shared<OciLayout>(std::move(*store));
      SealedImage sealed = layout->read({*found, name.platform});
      auto blobs = blobs_of_store(std::move(layout), sealed.image.layers, context);
      return {std::move(sealed), std::move(blobs), *found, parse_reference(*found)};
    }
  }
  const std::optional<std::string> listed = store ? std::optional(printable(names_in(*store))) : std::nullopt;
  const auto of_registries = std::ranges::find(kinds, PlaceKind::PlainNames::of_registries, &PlaceKind::plain_names);
  if (names_registry(name.text) && of_registries != kinds.end()) {
    try {
      OpenedImage found = of_registries->find(name.text, Use::image, {})->read(name.platform, context);
      context.note(fmt::format("{} is registry:{}", printable(name.text), printable(name.text)));
      return found;
    } catch (Error& error) {
      error.add_context(fmt::format("there is no image {} here, so it is the registry's", printable(name.text)));
      const std::string first = !error.hint().empty() ? error.hint() : listed ? what_is_here(listed) : "";
      error.set_hint(
          fmt::format("{}{}an engine's is docker:{}", first, first.empty() ? "" : "; ", printable(name.text)));
      throw;
    }
  }
  std::string reasons;
  if (auto found = open_in_engines(name, context, kinds, reasons)) return std::move(*found);
  throw Error(ErrorKind::not_found, fmt::format("there is no image {} here{}", printable(name.text), reasons),
              fmt::format("{}{} or name {}", what_is_here(listed), listed ? ";" : ",", forms({}, Use::image, kinds)));
}

bool names_a_place(std::string_view text) { return kind_of(text, place_kinds()) != nullptr; }

std::string image_forms() { return forms(plain_form, Use::image, place_kinds()); }
std::string pulled_forms() { return forms(registry_form, Use::image, place_kinds()); }
std::string output_forms() { return forms({}, Use::output, place_kinds()); }
std::string base_forms() { return forms(base_form, Use::base, place_kinds()); }

}  // namespace veneer::image
