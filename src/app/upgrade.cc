#include "app/upgrade.hh"

#include <fmt/format.h>

#include "deliver/upgrade.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "image/media/archive_writer.hh"
#include "image/media/docker_archive.hh"

namespace veneer::app {

WrittenUpgrade write_upgrade(const OpenedImage& image, const OpenedImage& held, const deliver::EngineName& live_name,
                             const std::filesystem::path& file) {
  const std::set<BlobDigest> included = deliver::layers_of_upgrade(image.sealed.image, held.sealed.image);
  const std::vector<image::Reference> names{live_name.reference()};
  const image::Annotations annotations{{std::string(deliver::upgrade_base_annotation), held.name}};
  remove_abandoned(std::filesystem::path(file).parent_path());  // what killed ones left of it
  AtomicFile output(file);
  image::write_archive(output, image.sealed, *image.blobs, names, included, annotations);
  output.commit();
  return {image::archive_size(image.sealed, names, included, annotations), included.size()};
}

OpenedUpgrade open_upgrade(const std::filesystem::path& file, const std::optional<deliver::EngineName>& live_name) {
  const auto archive = std::make_shared<image::DockerArchive>(image::DockerArchive::open(file));
  const std::vector<std::string> names = archive->names();
  if (names.size() != 1 && !live_name) {
    throw Error(ErrorKind::refused, fmt::format("{} holds {} names, not one", printable(file.native()), names.size()),
                "veneer ship --to-file writes such files; --as NAME:TAG gives the image a name");
  }
  return {{archive->read({}), archive, names.empty() ? "" : names.front(), OpenedImage::Origin::store},
          archive->annotation(deliver::upgrade_base_annotation).value_or("another image")};
}

}  // namespace veneer::app
