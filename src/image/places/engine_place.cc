#include "image/places/engine_place.hh"

#include <fmt/format.h>
#include <unistd.h>

#include "engine/engine_images.hh"
#include "engine/local_engines.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/temporary.hh"
#include "image/media/docker_archive.hh"

namespace veneer::image {

namespace fs = std::filesystem;

namespace {

// An archive is about as large as the files in it; many small ones need more, and so does what is kept for other
// machines than this one.
constexpr std::uint64_t most_of_size = 4;
constexpr std::uint64_t more_than_size = 1ull << 30;

/// Passes an archive on, says how far it is, and ends what has no end.
class ExportSink : public ByteSink {
 public:
  ExportSink(ByteSink& next, const engine::EngineImage& image, const std::string& name, const PlaceContext& context)
      : next_(next),
        limit_(image.size > (no_limit - more_than_size) / most_of_size ? no_limit
                                                                       : image.size * most_of_size + more_than_size),
        of_(image.size),
        name_(name),
        context_(context) {}

  void write(ByteView bytes) override {
    if (bytes.size() > limit_ - count_) {
      throw Error(ErrorKind::network,
                  fmt::format("the engine sends more than {} bytes for an image of {}", limit_, of_));
    }
    count_ += bytes.size();
    next_.write(bytes);
    context_.progress(fmt::format("taking {} from the engine: {:.1f} MB of about {:.1f} MB", printable(name_),
                                  static_cast<double>(count_) / 1e6, static_cast<double>(std::max(of_, count_)) / 1e6));
  }
  void commit() override { next_.commit(); }

 private:
  ByteSink& next_;
  std::uint64_t limit_;
  std::uint64_t of_;
  std::uint64_t count_ = 0;
  const std::string& name_;
  const PlaceContext& context_;
};

/// The kept archive of an image. When its bytes turn out to be wrong it is removed, so that the next run takes the
/// image from the engine again.
class KeptArchive : public Blobs {
 public:
  KeptArchive(DockerArchive archive, fs::path file) : archive_(std::move(archive)), file_(std::move(file)) {}

  const DockerArchive& archive() const { return archive_; }
  bool contains(const BlobDigest& digest) const override { return archive_.contains(digest); }
  std::unique_ptr<ByteSource> open(const BlobDigest& digest) const override {
    return std::make_unique<Source>(archive_.open(digest), file_);
  }

 private:
  class Source : public ByteSource {
   public:
    Source(std::unique_ptr<ByteSource> source, fs::path file) : source_(std::move(source)), file_(std::move(file)) {}
    std::size_t read(std::span<std::byte> into) override {
      try {
        return source_->read(into);
      } catch (Error& error) {
        if (error.kind() != ErrorKind::verification) throw;
        std::error_code ignored;
        fs::remove(file_, ignored);
        error.add_context(fmt::format("the copy {} of the engine's image", printable(file_.native())));
        error.set_hint("it was damaged and is removed; the same command takes the image from the engine again");
        throw;
      }
    }

   private:
    std::unique_ptr<ByteSource> source_;
    fs::path file_;
  };

  DockerArchive archive_;
  fs::path file_;
};

/// Throws Error (verification) unless the archive is that of the image with this ID: of its configuration, or of the
/// manifest or index that a store of blobs goes by.
void check_id(const SealedImage& sealed, const DockerArchive& archive, const Hash& id) {
  if (sealed.config_digest.hash == id || sealed.manifest_digest.hash == id) return;
  if (archive.contains({id})) {
    static_cast<void>(sha256(*archive.open({id})));  // verified at its end
    return;
  }
  throw Error(ErrorKind::verification, fmt::format("it holds another image than sha256:{}", id.hex()));
}

class EnginePlace : public ImagePlace {
 public:
  EnginePlace(Connect connect, EngineImageName name, std::string text)
      : connect_(std::move(connect)), name_(std::move(name)), text_(std::move(text)) {}

  std::optional<std::string> absence(const PlaceContext& context) const override {
    try {
      if (find(*connect_(context))) return std::nullopt;
      return "it has no such image";
    } catch (const Error& error) {
      return error.kind() == ErrorKind::network ? "no engine answers" : error.what();
    }
  }

  OpenedImage read(const std::optional<Platform>& platform, const PlaceContext& context) const override {
    const std::unique_ptr<engine::EngineTransport> transport = connect_(context);
    const std::optional<engine::EngineImage> found = find(*transport);
    if (!found) {
      throw Error(ErrorKind::not_found, fmt::format("the engine has no image {}", printable(text_)),
                  "a name there looks like demo:1 or registry.example/team/demo:1; without a tag it is :latest");
    }
    const fs::path file = context.cache / "engine-images" / (found->id.hex() + ".tar");
    const Platform wanted = platform.value_or(Platform{found->os, found->architecture, found->variant});
    if (auto kept = read_kept(file, *found, wanted, context)) return std::move(*kept);
    take(*transport, *found, file, context);
    return open(file, *found, wanted);
  }

  std::optional<Reference> reference() const override {
    if (!name_.reference || name_.reference->digest) return std::nullopt;
    return name_.reference;
  }

 private:
  std::optional<engine::EngineImage> find(engine::EngineTransport& transport) const {
    for (const std::string& name : name_.asked) {
      if (auto image = engine::find_image(transport, name)) return image;
    }
    return std::nullopt;
  }

  void take(engine::EngineTransport& transport, const engine::EngineImage& image, const fs::path& file,
            const PlaceContext& context) const {
    make_folders(file.parent_path());
    remove_abandoned(file.parent_path());  // what killed ones left of it
    AtomicFile output(file, 0600);
    ExportSink sink(output, image, text_, context);
    in_context([&] { return "taking " + printable(text_) + " from the engine"; },
               [&] { engine::export_image(transport, image.id, sink); });
    sink.commit();
  }

  /// From the cache, when it is there and whole as far as can be told without reading layers.
  std::optional<OpenedImage> read_kept(const fs::path& file, const engine::EngineImage& image, const Platform& platform,
                                       const PlaceContext& context) const {
    std::error_code ignored;
    if (!fs::exists(file, ignored)) return std::nullopt;
    try {
      OpenedImage opened = open(file, image, platform);
      fs::last_write_time(file, fs::file_time_type::clock::now(), ignored);  // what is used is not pruned
      return opened;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::not_found) throw;  // made for another platform
      context.note(fmt::format("{} is damaged and made again ({})", printable(file.native()), error.what()));
      fs::remove(file, ignored);
      return std::nullopt;
    }
  }

  OpenedImage open(const fs::path& file, const engine::EngineImage& image, const Platform& platform) const {
    auto kept = std::make_shared<KeptArchive>(DockerArchive::open(file), file);
    const DockerArchive& archive = kept->archive();
    const std::vector<std::string> names = archive.names();
    ImageRequest request{std::nullopt, platform};
    if (!names.empty()) request.tag = names.front();  // all are names of the one image
    SealedImage sealed = archive.read(request);
    check_id(sealed, archive, image.id);
    return {std::move(sealed), std::move(kept), text_, reference()};
  }

  Connect connect_;
  EngineImageName name_;
  std::string text_;
};

using FindAddress = engine::EngineAddress (*)(const PlaceContext&);

PlaceKind engine_kind(const std::string& prefix, LocalNames names, FindAddress find_address) {
  PlaceKind kind{prefix, prefix + ":NAME", PlaceKind::Access::reads, PlaceKind::PlainNames::looked_for, {}};
  kind.find = [prefix, names, find_address](std::string_view rest, Use, const fs::path&) {
    EngineImageName name = read_engine_image_name(rest, names);
    const Connect connect = [find_address](const PlaceContext& context) {
      return engine::connect_to(find_address(context));
    };
    return engine_place(connect, std::move(name), fmt::format("{}:{}", prefix, rest));
  };
  return kind;
}

}  // namespace

EngineImageName read_engine_image_name(std::string_view text, LocalNames names) {
  constexpr std::string_view id_prefix = "sha256:";
  if (text.starts_with(id_prefix) && Hash::from_hex(text.substr(id_prefix.size()))) return {{std::string(text)}, {}};
  // An engine refuses a tag and a digest at once, or passes over the tag.
  const auto asked = [](std::string_view name) {
    Reference reference = with_default_tag(parse_reference(name));
    if (reference.digest) reference.tag.reset();
    return reference.full();
  };
  EngineImageName name{{asked(text)}, with_default_tag(parse_reference(text))};
  if (names == LocalNames::as_podman && !names_registry(text)) {
    name.asked.insert(name.asked.begin(), asked("localhost/" + std::string(text)));
  }
  return name;
}

std::shared_ptr<const ImagePlace> engine_place(Connect connect, EngineImageName name, std::string text) {
  return std::make_shared<EnginePlace>(std::move(connect), std::move(name), std::move(text));
}

PlaceKind docker_kind() {
  return engine_kind("docker", LocalNames::as_docker,
                     [](const PlaceContext& context) { return engine::choose_docker(context.environment).address(); });
}

PlaceKind podman_kind() {
  return engine_kind("podman", LocalNames::as_podman,
                     [](const PlaceContext& context) { return engine::podman_address(context.environment, getuid()); });
}

}  // namespace veneer::image
