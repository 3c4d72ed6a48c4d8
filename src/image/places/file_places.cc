#include "image/places/file_places.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/temporary.hh"
#include "image/media/archive_writer.hh"
#include "image/media/docker_archive.hh"
#include "image/media/oci_layout.hh"

namespace veneer::image {

namespace fs = std::filesystem;

namespace {

/// Where it is, and what may be written to mean it again.
struct FileName {
  fs::path path;
  std::optional<std::string> tag;
  std::string text;
};

FileName read_file_name(const PlaceKind& kind, std::string_view rest, const fs::path& folder) {
  PathAndTag split = split_path_and_tag(rest, folder);
  return {std::move(split.path), std::move(split.tag), fmt::format("{}:{}", kind.prefix, rest)};
}

class LayoutPlace : public ImagePlace {
 public:
  explicit LayoutPlace(FileName name) : name_(std::move(name)) {}

  OpenedImage read(const std::optional<Platform>& platform, const PlaceContext&) const override {
    auto layout = std::make_shared<OciLayout>(OciLayout::open(name_.path));
    SealedImage sealed = layout->read({name_.tag, platform});
    return {std::move(sealed), std::move(layout), name_.text, std::nullopt};
  }

  std::string write(const SealedImage& image, const Blobs& blobs, const std::string& name,
                    const KeptFiles& files) const override {
    OciLayout::create(name_.path).write(image, blobs, name_.tag.value_or(name), files);
    return name_.path.native();
  }

 private:
  FileName name_;
};

class ArchivePlace : public ImagePlace {
 public:
  explicit ArchivePlace(FileName name) : name_(std::move(name)) {}

  OpenedImage read(const std::optional<Platform>& platform, const PlaceContext&) const override {
    auto archive = std::make_shared<DockerArchive>(DockerArchive::open(name_.path));
    SealedImage sealed = archive->read({name_.tag, platform});
    return {std::move(sealed), std::move(archive), name_.text, std::nullopt};
  }

  std::string write(const SealedImage& image, const Blobs& blobs, const std::string& name,
                    const KeptFiles&) const override {
    const Reference given = parse_given_name(name_.tag.value_or(name));
    remove_abandoned(name_.path.parent_path());  // what killed ones left of it
    AtomicFile file(name_.path);
    write_archive(file, image, blobs, {given}, all_layers(image.image));
    file.commit();
    return name_.path.native();
  }

 private:
  FileName name_;
};

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

}  // namespace

PathAndTag split_path_and_tag(std::string_view rest, const fs::path& folder) {
  std::size_t end = rest.size();
  while (end != std::string_view::npos && !is_there(folder / rest.substr(0, end))) {
    end = end == 0 ? std::string_view::npos : rest.rfind(':', end - 1);
  }
  if (end == std::string_view::npos || end == 0) {
    std::size_t slash = rest.rfind('/');
    while (slash != std::string_view::npos && !is_there(folder / rest.substr(0, slash + 1))) {
      slash = slash == 0 ? std::string_view::npos : rest.rfind('/', slash - 1);
    }
    end = std::min(rest.find(':', slash == std::string_view::npos ? 0 : slash), rest.size());
  }
  if (end == 0) throw Error(ErrorKind::usage, "it names no path");
  PathAndTag result{folder / rest.substr(0, end), std::nullopt};
  if (end < rest.size()) {
    result.tag = rest.substr(end + 1);
    if (result.tag->empty()) throw Error(ErrorKind::usage, "it ends with an empty tag");
  }
  return result;
}

PlaceKind oci_layout_kind() {
  PlaceKind kind{"oci", "oci:DIR[:TAG]", PlaceKind::Access::reads_and_writes, {}, {}};
  kind.find = [kind](std::string_view rest, Use use, const fs::path& folder) {
    FileName name = read_file_name(kind, rest, folder);
    if (use == Use::output && name.tag && !is_tag(*name.tag)) static_cast<void>(parse_given_name(*name.tag));
    return std::make_shared<LayoutPlace>(std::move(name));
  };
  return kind;
}

PlaceKind docker_archive_kind() {
  PlaceKind kind{"docker-archive", "docker-archive:FILE[:TAG]", PlaceKind::Access::reads_and_writes, {}, {}};
  kind.find = [kind](std::string_view rest, Use use, const fs::path& folder) {
    FileName name = read_file_name(kind, rest, folder);
    if (use == Use::output && name.tag) static_cast<void>(parse_given_name(*name.tag));
    return std::make_shared<ArchivePlace>(std::move(name));
  };
  return kind;
}

}  // namespace veneer::image
