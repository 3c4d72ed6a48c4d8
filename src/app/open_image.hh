// Finds images by the names that users give to them.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "app/surroundings.hh"
#include "image/blobs.hh"
#include "image/image.hh"
#include "image/location.hh"

namespace veneer::app {

/// Which image is meant.
struct WantedImage {
  std::string text;                         // as the user wrote it
  std::optional<image::Location> location;  // none: what was built last here
};

/// An IMAGE argument; empty: what was built last. Throws Error (usage), also for places that cannot be read from.
WantedImage parse_wanted_image(const std::string& text);

struct OpenedImage {
  image::SealedImage sealed;
  std::shared_ptr<const image::Blobs> blobs;
  std::string name;  // "greenhouse:1.0.1", or what the user wrote for layouts and archives
  enum class Origin { store, place } origin = Origin::store;  // whether `name` is one that an engine can give to it
};

/// The project's own store: .veneer in the folder of the nearest pyproject.toml above `folder`, else in `folder`.
std::filesystem::path project_store(const std::filesystem::path& folder);

/// The image that was built last into the store of the project in `folder`, if any was.
std::optional<OpenedImage> open_last(const std::filesystem::path& folder);

/// Opens what is wanted: a layout, an archive, else an image of the project's store, whatever registry its name has. A
/// name without a tag is what is tagged "latest", else what was built last under that name. Throws Error: not_found
/// with a hint.
OpenedImage open_image(const WantedImage& wanted, Surroundings& surroundings);

/// Whether the image will have a name that an engine can give to it.
bool has_a_name(const WantedImage& wanted);

}  // namespace veneer::app
