#include <fmt/format.h>

#include <chrono>

#include "cli/build_session.hh"
#include "cli/open_image.hh"
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

/// Writes the image where --output says; returns the place for people.
std::string write_output(const std::optional<std::string>& output, const BuildSession& session,
                         const image::SealedImage& sealed, const image::Blobs& blobs) {
  const std::string name = session.image_name();
  if (!output) {
    const fs::path store = project_store(session.folder());
    image::OciLayout layout = image::OciLayout::create(store);
    if (!fs::exists(store / ".gitignore")) write_text_file(store / ".gitignore", "*\n");
    layout.write(sealed, blobs, name);
    write_text_file(store / "last", name);
    layout.prune();
    return store.native();
  }
  const image::Location location = image::parse_location(*output);
  if (const auto* layout = std::get_if<image::OciLayoutLocation>(&location)) {
    image::OciLayout::create(layout->folder).write(sealed, blobs, layout->tag.value_or(name));
    return layout->folder.native();
  }
  if (const auto* archive = std::get_if<image::DockerArchiveLocation>(&location)) {
    const image::Reference reference = image::with_default_tag(image::parse_reference(archive->tag.value_or(name)));
    AtomicFile file(archive->file);
    image::write_archive(file, sealed, blobs, {reference}, image::all_layers(sealed.image));
    file.commit();
    return archive->file.native();
  }
  throw Error(ErrorKind::usage, fmt::format("'{}' is no place that an image can be written to", printable(*output)),
              "use oci:DIR[:TAG] or docker-archive:FILE[:TAG]; 'veneer ship' brings it to an engine");
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
  BuildSession session(arguments, context);
  for (const std::string& finding : session.plan().findings) context.terminal().warning(finding);
  const build::BuiltImage built = session.build();
  context.terminal().progress("writing the image");
  const CacheThenBase blobs(session.cache(), session.inputs().base.blobs);
  const std::string place = write_output(arguments.value("--output"), session, built.sealed, blobs);
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

std::string build_into_store(const Arguments& arguments, Context& context) {
  BuildSession session(arguments, context);
  for (const std::string& finding : session.plan().findings) context.terminal().warning(finding);
  const build::BuiltImage built = session.build();
  const CacheThenBase blobs(session.cache(), session.inputs().base.blobs);
  write_output(std::nullopt, session, built.sealed, blobs);
  return session.image_name();
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
