// Finds images by the names that users give to them: image/places/image_names.hh, with the surroundings of a command.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "app/surroundings.hh"
#include "image/places/image_names.hh"
#include "registry/registries.hh"

namespace veneer::app {

using image::OpenedImage;

/// Which image is meant; none: what was built last here.
using WantedImage = std::optional<image::ImageName>;

/// An IMAGE argument; empty: what was built last. `platform` is what --platform says. Throws Error (usage).
WantedImage parse_wanted_image(const std::string& text, const std::optional<std::string>& platform = std::nullopt);

/// The project's own store: .veneer in the folder of the nearest pyproject.toml above `folder`, else in `folder`.
std::filesystem::path project_store(const std::filesystem::path& folder);

/// The registries that there are for the project in `folder`: its mirrors, the user's logins. Refers to `surroundings`.
/// `patience`: while no byte moves.
std::shared_ptr<registry::Registries> open_registries(const std::filesystem::path& folder, Surroundings& surroundings,
                                                      std::optional<std::chrono::seconds> patience = std::nullopt);

/// What places of images need, with the store of the project in `folder`. Refers to `surroundings`.
image::PlaceContext place_context(const std::filesystem::path& folder, Surroundings& surroundings);

/// The image that was built last into the store of the project in `folder`, if any was. Layers that it
/// lacks are fetched as `context` says, of which the store is set.
std::optional<OpenedImage> open_last(const std::filesystem::path& folder, image::PlaceContext context = {});

/// Opens what is wanted. Throws Error: not_found with a hint, and what places throw.
OpenedImage open_image(const WantedImage& wanted, Surroundings& surroundings);

/// Whether the image will have a name that an engine can give to it.
bool has_a_name(const WantedImage& wanted);

}  // namespace veneer::app
