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

image::PathAndTag parse_upgrade_file(const std::string& text) {
  constexpr std::string_view prefix = "docker-archive:";
  if (!text.starts_with(prefix) || std::filesystem::exists(text)) return {text, std::nullopt};
  return in_context([&] { return printable(text); },
                    [&] { return image::split_path_and_tag(std::string_view(text).substr(prefix.size()), {}); });
}

OpenedUpgrade open_upgrade(const image::PathAndTag& file, const std::optional<deliver::EngineName>& live_name) {
  const auto archive = std::make_shared<image::DockerArchive>(image::DockerArchive::open(file.path));
  const std::vector<std::string> names = archive->names();
  if (names.size() != 1 && !live_name) {
    throw Error(ErrorKind::refused,
                fmt::format("{} holds {} names, not one", printable(file.path.native()), names.size()),
                "veneer ship --to-file writes such files; --as NAME:TAG gives the image a name");
  }
  const std::string name = names.empty() ? "" : names.front();
  const auto reference = names.empty() ? std::nullopt : std::optional(image::parse_reference(name));
  return {{archive->read({file.tag, std::nullopt}), archive, name, reference},
          archive->annotation(deliver::upgrade_base_annotation).value_or("another image")};
}

}  // namespace veneer::app
