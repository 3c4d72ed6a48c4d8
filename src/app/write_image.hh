// Builds images and puts them where they are wanted.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "app/build_session.hh"
#include "app/open_image.hh"
#include "image/places/image_names.hh"

namespace veneer::app {

/// Where an image goes; none: into the project's store.
using Output = std::shared_ptr<const image::ImagePlace>;

/// Where an --output goes. Throws Error (usage) for what is no place that can be written to, and for names that cannot
/// be given.
Output parse_output(const std::string& text);

/// Where the layers of what `session` builds are: in the cache those that were made; those of the base and of the image
/// before may lie in their own places.
std::shared_ptr<const image::Blobs> blobs_of(const BuildSession& session);

/// The project's store, made or mended so that it can be written to.
std::filesystem::path open_store(const BuildSession& session);

struct WrittenImage {
  build::BuiltImage built;
  std::string place;  // for people
};

/// Whether layers that are taken from the image before are fetched for the project's store, or the image is not written
/// there when some are.
enum class TakenLayers { are_written, may_stay_there };

/// Builds what `session` planned and writes it to `output`; none: into the project's store, where it is the one that
/// was built last.
WrittenImage build_to(const Output& output, TakenLayers taken, BuildSession& session, Surroundings& surroundings);

struct StoredImage {
  OpenedImage image;
  std::string commit;  // see BuildSession::commit()
};

/// Builds into the project's store. What it returns stays whole whatever is built there after it.
StoredImage build_into_store(const BuildRequest& request, Surroundings& surroundings);

}  // namespace veneer::app
