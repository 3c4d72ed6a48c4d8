#include <fmt/format.h>

#include <chrono>

#include "cli/build_session.hh"
#include "cli/open_image.hh"
#include "deliver/receiver/engine_name.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"
#include "image/location.hh"
#include "image/media/archive_writer.hh"
#include "image/media/oci_layout.hh"
#include "image/reference.hh"

namespace veneer::cli {

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

/// Where --output says that the image goes; nothing: into the project's store. Throws Error (usage) for what is no such
/// place, or no name that can be given.
std::optional<image::Location> read_output(const Arguments& arguments) {
  const auto output = arguments.value("--output");
  if (!output) return std::nullopt;
  image::Location location = image::parse_location(*output);
  std::optional<std::string> tag;
  if (const auto* layout = std::get_if<image::OciLayoutLocation>(&location)) {
    if (layout->tag && !image::is_tag(*layout->tag)) tag = layout->tag;
  } else if (const auto* archive = std::get_if<image::DockerArchiveLocation>(&location)) {
    tag = archive->tag;
  } else {
    throw Error(ErrorKind::usage, fmt::format("'{}' is no place that an image can be written to", printable(*output)),
                "use oci:DIR[:TAG] or docker-archive:FILE[:TAG]; 'veneer ship' brings it to an engine");
  }
  if (tag) static_cast<void>(deliver::parse_engine_name(*tag));
  return location;
}

/// Returns the place for people.
std::string write_to_store(const BuildSession& session, const image::SealedImage& sealed, const image::Blobs& blobs) {
  const fs::path store = project_store(session.folder());
  image::OciLayout layout = image::OciLayout::create(store);
  if (!fs::exists(store / ".gitignore")) write_text_file(store / ".gitignore", "*\n");
  layout.write(sealed, blobs, session.image_name());
  write_text_file(store / "last", session.image_name());
  layout.prune();
  return store.native();
}

std::string write_to(const image::Location& output, const BuildSession& session, const image::SealedImage& sealed,
                     const image::Blobs& blobs) {
  if (const auto* layout = std::get_if<image::OciLayoutLocation>(&output)) {
    image::OciLayout::create(layout->folder).write(sealed, blobs, layout->tag.value_or(session.image_name()));
    return layout->folder.native();
  }
  const auto& archive = std::get<image::DockerArchiveLocation>(output);
  const auto name = deliver::parse_engine_name(archive.tag.value_or(session.image_name()));
  AtomicFile file(archive.file);
  image::write_archive(file, sealed, blobs, {name.reference()}, image::all_layers(sealed.image));
  file.commit();
  return archive.file.native();
}

Value to_value(const build::BuiltLayer& built) {
  Value value;
  value.set("kind", built.kind);
  value.set("title", built.title);
  value.set("diff_id", built.layer.diff_id.text());
  value.set("digest", built.layer.blob.text());
  value.set("size", built.layer.size);
  value.set("made", built.made);
  return value;
}

Value to_value(const BuildSession& session, const build::BuiltImage& built, const std::string& place) {
  Value::Array layers;
  for (const build::BuiltLayer& layer : built.layers) layers.push_back(to_value(layer));
  Value::Array findings;
  for (const std::string& finding : session.plan().findings) findings.emplace_back(finding);
  const net::DownloadStatistics downloads = session.download_statistics();
  Value statistics;
  statistics.set("files_fetched", downloads.files_fetched);
  statistics.set("bytes_fetched", downloads.bytes_fetched);
  statistics.set("requests", downloads.requests);
  statistics.set("wheels_opened", built.statistics.wheels_opened);
  statistics.set("wheels_built", built.statistics.wheels_built);
  statistics.set("layers_made", built.statistics.layers_made);
  statistics.set("layers_reused", built.statistics.layers_reused);
  statistics.set("bytes_compressed", built.statistics.bytes_compressed);
  Value value;
  value.set("image", session.image_name());
  value.set("output", place);
  value.set("manifest", built.sealed.manifest_digest.text());
  value.set("config", built.sealed.config_digest.text());
  value.set("layers", std::move(layers));
  value.set("findings", std::move(findings));
  value.set("statistics", std::move(statistics));
  return value;
}

int run(const Arguments& arguments, Context& context) {
  const auto started = std::chrono::steady_clock::now();
  const std::optional<image::Location> output = read_output(arguments);
  BuildSession session(arguments, context);
  for (const std::string& finding : session.plan().findings) context.terminal().warning(finding);
  const build::BuiltImage built = session.build();
  context.terminal().progress("writing the image");
  const CacheThenBase blobs(session.cache(), session.inputs().base.blobs);
  const std::string place =
      output ? write_to(*output, session, built.sealed, blobs) : write_to_store(session, built.sealed, blobs);
  context.terminal().clear_progress();

  if (arguments.has("--json")) {
    context.print(to_pretty_json(to_value(session, built, place)));
    return 0;
  }
  std::uint64_t total = 0;
  for (const build::BuiltLayer& layer : built.layers) total += layer.layer.size;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
  context.terminal().note(fmt::format("{} layers, {} made, {} reused; {} in all, the application layer {}; in {}",
                                      built.layers.size(), built.statistics.layers_made,
                                      built.layers.size() - built.statistics.layers_made, human_size(total),
                                      human_size(built.layers.back().layer.size), human_duration(seconds.count())));
  context.print(fmt::format("{} {}\n", session.image_name(), built.sealed.manifest_digest.text()));
  return 0;
}

}  // namespace

OpenedImage build_into_store(const Arguments& arguments, Context& context) {
  BuildSession session(arguments, context);
  for (const std::string& finding : session.plan().findings) context.terminal().warning(finding);
  build::BuiltImage built = session.build();
  auto blobs = std::make_shared<CacheThenBase>(session.cache(), session.inputs().base.blobs);
  write_to_store(session, built.sealed, *blobs);
  return {std::move(built.sealed), std::move(blobs), session.image_name(), OpenedImage::Origin::store};
}

Command build_command() {
  std::vector<Option> options = build_options();
  options.push_back({"-o,--output", "PLACE",
                     "write to oci:DIR[:TAG] or docker-archive:FILE[:TAG] (default: the project's .veneer folder)"});
  options.push_back({"--json", "", "print what was built as JSON"});
  return {.name = "build",
          .summary = "build the project's image",
          .description =
              "Builds an image from pyproject.toml and uv.lock: the base, a layer for each large wheel, one for the "
              "small ones, the "
              "virtual environment, and a thin layer with the project's own code. The same commit gives the same image "
              "on every "
              "machine. Layers that were made before are taken from the cache.",
          .options = std::move(options),
          .examples = {{"veneer build", "build the project here into its .veneer folder"},
                       {"veneer build -o docker-archive:app.tar", "write a file that docker and podman can load"},
                       {"veneer build --base debian:bookworm --extra postgres", "choose the base, install an extra"}},
          .run = run};
}

}  // namespace veneer::cli
