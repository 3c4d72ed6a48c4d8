// Finds the image that an IMAGE argument names. Called by the commands that take one.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "cli/context.hh"
#include "image/blobs.hh"
#include "image/image.hh"

namespace veneer::cli {

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

/// Opens what `argument` names: oci:DIR[:TAG], docker-archive:FILE[:TAG], else an image of the project's store,
/// whatever registry its name has. A name without a tag is what is tagged "latest", else what was built last under that
/// name. An empty argument is the image that was built last. Throws Error: not_found with a hint, usage for places that
/// cannot be read from.
OpenedImage open_image(const std::string& argument, Context& context);

}  // namespace veneer::cli
