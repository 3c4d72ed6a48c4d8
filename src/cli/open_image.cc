#include "cli/open_image.hh"

#include <fmt/format.h>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "image/location.hh"
#include "image/media/docker_archive.hh"
#include "image/media/oci_layout.hh"

namespace veneer::cli {

namespace fs = std::filesystem;

namespace {

OpenedImage open_layout(const fs::path& folder, const std::optional<std::string>& tag, std::string name) {
  auto layout = std::make_shared<image::OciLayout>(image::OciLayout::open(folder));
  image::SealedImage sealed = layout->read({tag, std::nullopt});
  return {std::move(sealed), std::move(layout), std::move(name)};
}

OpenedImage open_stored(const fs::path& store, const std::string& name) {
  if (!fs::exists(store / "index.json")) {
    throw Error(ErrorKind::not_found, fmt::format("there is no image {} here", printable(name)),
                "run 'veneer build' in the project first, or name an oci:DIR or docker-archive:FILE");
  }
  return open_layout(store, name, name);
}

[[noreturn]] void throw_unreadable(const std::string& argument) {
  throw Error(ErrorKind::usage, fmt::format("'{}': images cannot be read from there", printable(argument)),
              "save it to a file first and name it as docker-archive:FILE");
}

}  // namespace

fs::path project_store(const fs::path& folder) {
  for (fs::path place = folder;; place = place.parent_path()) {
    if (fs::exists(place / "pyproject.toml")) return place / ".veneer";
    if (place == place.root_path() || place.empty()) return folder / ".veneer";
  }
}

OpenedImage open_image(const std::string& argument, Context& context) {
  const fs::path store = project_store(context.current_folder());
  if (argument.empty()) {
    const auto last = read_text_file_if_exists(store / "last", 4096);
    if (!last) throw Error(ErrorKind::not_found, "nothing was built here yet", "run 'veneer build', or name an image");
    return open_stored(store, *last);
  }
  const image::Location location = image::parse_location(argument);
  if (const auto* layout = std::get_if<image::OciLayoutLocation>(&location)) {
    return open_layout(layout->folder, layout->tag, argument);
  }
  if (const auto* file = std::get_if<image::DockerArchiveLocation>(&location)) {
    auto archive = std::make_shared<image::DockerArchive>(image::DockerArchive::open(file->file));
    image::SealedImage sealed = archive->read({file->tag, std::nullopt});
    return {std::move(sealed), std::move(archive), argument};
  }
  if (const auto* local = std::get_if<image::LocalLocation>(&location))
    return open_stored(store, local->name.familiar());
  throw_unreadable(argument);
}

}  // namespace veneer::cli
