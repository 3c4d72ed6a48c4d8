#include "app/write_image.hh"

#include <fmt/format.h>

#include "deliver/receiver/engine_name.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "image/media/archive_writer.hh"
#include "image/media/oci_layout.hh"
#include "image/reference.hh"

namespace veneer::app {

namespace fs = std::filesystem;

namespace {

/// The cache has the layers that were made; those of the base may lie in the base's own place.
class CacheThenBase : public image::Blobs {
 public:
  CacheThenBase(std::shared_ptr<const image::Blobs> cache, std::shared_ptr<const image::Blobs> base)
      : cache_(std::move(cache)), base_(std::move(base)) {}
  bool contains(const BlobDigest& digest) const override { return cache_->contains(digest) || base_->contains(digest); }
  std::unique_ptr<ByteSource> open(const BlobDigest& digest) const override { return having(digest).open(digest); }
  std::optional<fs::path> path(const BlobDigest& digest) const override { return having(digest).path(digest); }

 private:
  const image::Blobs& having(const BlobDigest& digest) const { return cache_->contains(digest) ? *cache_ : *base_; }
  std::shared_ptr<const image::Blobs> cache_;
  std::shared_ptr<const image::Blobs> base_;
};

std::shared_ptr<const image::Blobs> blobs_of(const BuildSession& session) {
  return std::make_shared<CacheThenBase>(session.cache(), session.inputs().base.blobs);
}

std::string write_to_store(const BuildSession& session, const image::SealedImage& sealed, const image::Blobs& blobs) {
  const fs::path store = project_store(session.folder());
  const KeptFiles& files = *session.cache()->files();
  image::OciLayout::mend(store, files);
  image::OciLayout layout = image::OciLayout::create(store);
  if (!fs::exists(store / ".gitignore")) write_text_file(store / ".gitignore", "*\n");
  layout.write(sealed, blobs, session.image_name(), files);
  clear_place(store / "last");
  write_text_file(store / "last", session.image_name());
  layout.prune();
  return store.native();
}

std::string write_to(const image::Location& output, const BuildSession& session, const image::SealedImage& sealed,
                     const image::Blobs& blobs) {
  if (const auto* layout = std::get_if<image::OciLayoutLocation>(&output)) {
    image::OciLayout::create(layout->folder)
        .write(sealed, blobs, layout->tag.value_or(session.image_name()), *session.cache()->files());
    return layout->folder.native();
  }
  const auto& archive = std::get<image::DockerArchiveLocation>(output);
  const auto name = deliver::parse_engine_name(archive.tag.value_or(session.image_name()));
  remove_abandoned(archive.file.parent_path());  // what killed ones left of it
  AtomicFile file(archive.file);
  image::write_archive(file, sealed, blobs, {name.reference()}, image::all_layers(sealed.image));
  file.commit();
  return archive.file.native();
}

build::BuiltImage build(BuildSession& session, Surroundings& surroundings) {
  for (const std::string& finding : session.plan().findings) surroundings.messages().warning(finding);
  build::BuiltImage built = session.build();
  surroundings.messages().progress("writing the image");
  return built;
}

}  // namespace

image::Location parse_output(const std::string& text) {
  image::Location location = image::parse_location(text);
  std::optional<std::string> tag;
  if (const auto* layout = std::get_if<image::OciLayoutLocation>(&location)) {
    if (layout->tag && !image::is_tag(*layout->tag)) tag = layout->tag;
  } else if (const auto* archive = std::get_if<image::DockerArchiveLocation>(&location)) {
    tag = archive->tag;
  } else {
    throw Error(ErrorKind::usage, fmt::format("'{}' is no place that an image can be written to", printable(text)),
                "use oci:DIR[:TAG] or docker-archive:FILE[:TAG]; 'veneer ship' brings it to an engine");
  }
  if (tag) static_cast<void>(deliver::parse_engine_name(*tag));
  return location;
}

WrittenImage build_to(const std::optional<image::Location>& output, BuildSession& session, Surroundings& surroundings) {
  WrittenImage written{build(session, surroundings), {}};
  const auto blobs = blobs_of(session);
  written.place = output ? write_to(*output, session, written.built.sealed, *blobs)
                         : write_to_store(session, written.built.sealed, *blobs);
  surroundings.messages().clear_progress();
  return written;
}

OpenedImage build_into_store(const BuildRequest& request, Surroundings& surroundings) {
  BuildSession session(request, surroundings);
  build::BuiltImage built = build(session, surroundings);
  const auto blobs = blobs_of(session);
  write_to_store(session, built.sealed, *blobs);
  surroundings.messages().clear_progress();
  return {std::move(built.sealed), blobs, session.image_name(), OpenedImage::Origin::store};
}

}  // namespace veneer::app
