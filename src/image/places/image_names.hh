// The one reader of names of images, for every argument, option and key that takes one (docs/names.md):
//
//   PREFIX:...          exactly that place; the prefixes are those of place_kinds()
//   any other name      an image: the project's store, then the registry that it names or, when it names none, the
//                       engines of this machine
//                       a base: a registry's
//                       an output: none; it goes to the project's store when nothing is named
//
// Reading a name contacts nothing but the disk. Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "image/places/image_place.hh"

namespace veneer::image {

struct ImageName {
  std::string text;                         // as written
  std::shared_ptr<const ImagePlace> place;  // of an exact name; else:
  Reference reference;
  std::optional<Platform> platform{};  // that is wanted of an image for several; one of a registry: this machine's
};

using PlaceKinds = std::vector<PlaceKind>;

/// An IMAGE to be read. Throws Error (usage) with a hint.
ImageName read_image_name(std::string_view text, const PlaceKinds& kinds = place_kinds());

/// An image that another one stands on; relative paths begin at `folder`. Throws Error (usage) with a hint.
std::shared_ptr<const ImagePlace> read_base_name(std::string_view text, const std::filesystem::path& folder,
                                                 const PlaceKinds& kinds = place_kinds());

/// A place that an image is written to. Throws Error (usage) with a hint.
std::shared_ptr<const ImagePlace> read_output_name(std::string_view text, const PlaceKinds& kinds = place_kinds());

/// A name as `veneer pull` takes it: without prefix it is a registry's, read as Docker reads it. Throws Error (usage).
ImageName read_pulled_name(std::string_view text, const PlaceKinds& kinds = place_kinds());

/// Opens what `name` stands for. Of a name without prefix, that the store lacks, a note says what it is. Throws Error:
/// not_found with a hint what there is, and what the place throws.
OpenedImage open_image(const ImageName& name, const PlaceContext& context, const PlaceKinds& kinds = place_kinds());

/// Whether `text` begins like the exact name of a place, so that it cannot mean an image of that name.
bool names_a_place(std::string_view text);

/// The ways to name an image to be read, for help texts: "name[:tag], oci:DIR[:TAG], ... or podman:NAME".
std::string image_forms();
/// The ways to name an image to be pulled.
std::string pulled_forms();
/// The places that an image can be written to: "oci:DIR[:TAG] or docker-archive:FILE[:TAG]".
std::string output_forms();
/// What can be built on: "debian:SUITE, oci:DIR[:TAG], ... or podman:NAME".
std::string base_forms();

}  // namespace veneer::image
