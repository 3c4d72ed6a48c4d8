#include "app/open_image.hh"

#include <fmt/format.h>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "image/location.hh"
#include "image/media/docker_archive.hh"
#include "image/media/oci_layout.hh"

namespace veneer::app {

namespace fs = std::filesystem;

namespace {

OpenedImage read_from(image::OciLayout layout, const std::optional<std::string>& tag, std::string name,
                      OpenedImage::Origin origin) {
  image::SealedImage sealed = layout.read({tag, std::nullopt});
  return {std::move(sealed), std::make_shared<image::OciLayout>(std::move(layout)), std::move(name), origin};
}

image::OciLayout open_store(const fs::path& store, const std::string& wanted) {
  if (fs::exists(store / "index.json")) return image::OciLayout::open(store);
  throw Error(ErrorKind::not_found, fmt::format("there is no image {} here", printable(wanted)),
              "run 'veneer build' in the project first, or name an oci:DIR or docker-archive:FILE");
}

OpenedImage open_named(const fs::path& store, const std::string& argument, const image::Reference& wanted,
                       Messages& messages) {
  image::OciLayout layout = open_store(store, argument);
  const image::Index index = layout.index();
  if (const auto name = image::find_name(index, wanted)) {
    if (!wanted.tag) messages.note(fmt::format("{} is {}", printable(argument), printable(*name)));
    return read_from(std::move(layout), *name, *name, OpenedImage::Origin::store);
  }
  std::string names;
  for (const image::Descriptor& descriptor : index.manifests) {
    for (const std::string& name : image::names_of(descriptor)) names += (names.empty() ? "" : ", ") + name;
  }
  throw Error(
      ErrorKind::not_found, fmt::format("there is no image {} here", printable(argument)),
      fmt::format("there is {}; or name an oci:DIR or docker-archive:FILE", names.empty() ? "none" : printable(names)));
}

}  // namespace

fs::path project_store(const fs::path& folder) {
  for (fs::path place = folder;; place = place.parent_path()) {
    if (fs::exists(place / "pyproject.toml")) return place / ".veneer";
    if (place == place.root_path() || place.empty()) return folder / ".veneer";
  }
}

std::optional<OpenedImage> open_last(const fs::path& folder) {
  const fs::path store = project_store(folder);
  const auto last = read_text_file_if_exists(store / "last", 4096);
  if (!last) return std::nullopt;
  return read_from(open_store(store, *last), *last, *last, OpenedImage::Origin::store);
}

WantedImage parse_wanted_image(const std::string& text) {
  if (text.empty()) return {};
  WantedImage wanted{text, image::parse_location(text)};
  if (std::holds_alternative<image::EngineLocation>(*wanted.location)) {
    throw Error(ErrorKind::usage, fmt::format("'{}': images cannot be read from there", printable(text)),
                "save it to a file first and name it as docker-archive:FILE");
  }
  return wanted;
}

bool has_a_name(const WantedImage& wanted) {
  return !wanted.location || std::holds_alternative<image::NamedLocation>(*wanted.location);
}

OpenedImage open_image(const WantedImage& wanted, Surroundings& surroundings) {
  if (!wanted.location) {
    auto last = open_last(surroundings.current_folder());
    if (!last) throw Error(ErrorKind::not_found, "nothing was built here yet", "run 'veneer build', or name an image");
    return std::move(*last);
  }
  if (const auto* layout = std::get_if<image::OciLayoutLocation>(&*wanted.location)) {
    return read_from(image::OciLayout::open(layout->folder), layout->tag, wanted.text, OpenedImage::Origin::place);
  }
  if (const auto* file = std::get_if<image::DockerArchiveLocation>(&*wanted.location)) {
    auto archive = std::make_shared<image::DockerArchive>(image::DockerArchive::open(file->file));
    image::SealedImage sealed = archive->read({file->tag, std::nullopt});
    return {std::move(sealed), std::move(archive), wanted.text, OpenedImage::Origin::place};
  }
  return open_named(project_store(surroundings.current_folder()), wanted.text,
                    std::get<image::NamedLocation>(*wanted.location).name, surroundings.messages());
}

}  // namespace veneer::app
