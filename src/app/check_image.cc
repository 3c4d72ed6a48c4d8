#include "app/check_image.hh"

#include "foundation/file.hh"
#include "image/cache/layer_cache.hh"

namespace veneer::app {

check::CheckReport check_image(const OpenedImage& image, check::ImportChoice imports, Surroundings& surroundings) {
  const image::LayerCache cache(surroundings.cache_folder());  // while it lives, nobody prunes what we unpack
  const std::filesystem::path temporary = cache.folder() / "tmp";
  const TemporaryFolder scratch(temporary, "check");
  check::CheckOptions options;
  options.scratch = scratch.path();
  options.imports = imports;
  options.progress = [&](const std::string& text) { surroundings.messages().progress(text); };
  check::CheckReport report = check::check_image(image.sealed.image, *image.blobs, options);
  surroundings.messages().clear_progress();
  return report;
}

}  // namespace veneer::app
