// Upgrades that travel as a file, for hosts without a line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "app/open_image.hh"
#include "deliver/receiver/engine_name.hh"
#include "image/places/file_places.hh"

namespace veneer::app {

struct WrittenUpgrade {
  std::uint64_t bytes = 0;
  std::size_t layers = 0;  // that are in it
};

/// Writes what hosts need of `image` that have `held`, under `live_name`. A killed process leaves no file.
WrittenUpgrade write_upgrade(const OpenedImage& image, const OpenedImage& held, const deliver::EngineName& live_name,
                             const std::filesystem::path& file);

/// An upgrade and the image that the host must have for it, as the sender called it.
struct OpenedUpgrade {
  OpenedImage image;
  std::string held;
};

/// The FILE of an upgrade, with docker-archive: before it or without. Throws Error (usage).
image::PathAndTag parse_upgrade_file(const std::string& text);

/// Throws Error: not_found; refused, also when the file does not hold one name and `live_name` gives none.
OpenedUpgrade open_upgrade(const image::PathAndTag& file, const std::optional<deliver::EngineName>& live_name);

}  // namespace veneer::app
