#include <gmock/gmock.h>

#include <algorithm>

#include "archive/gzip_tar.hh"
#include "archive/tar.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"
#include "foundation/temporary.hh"
#include "image/media/archive_writer.hh"
#include "image/media/docker_archive.hh"
#include "image/open_layer.hh"
#include "tests/support/errors.hh"
#include "tests/support/tar_builder.hh"
#include "tests/unit/image/stored_layers.hh"

namespace veneer::image {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tests::error_of;
using tests::image_of;
using tests::MemoryBlobs;
using tests::TarBuilder;

const std::vector<Reference> name_app_1 = {parse_reference("app:1")};

Bytes archive_of(const SealedImage& image, const Blobs& blobs, const std::vector<Reference>& names,
                 const std::set<BlobDigest>& layers) {
  BytesSink sink;
  write_archive(sink, image, blobs, names, layers);
  EXPECT_EQ(sink.bytes().size(), archive_size(image, names, layers));
  return sink.take();
}

DockerArchive opened(const Bytes& bytes) { return DockerArchive(std::make_shared<MemoryAccess>(bytes)); }
DockerArchive opened(const TarBuilder& tar) {
  const std::string text = tar.finish();
  return opened(Bytes(as_bytes(text).begin(), as_bytes(text).end()));
}

std::vector<std::string> member_names(const Bytes& bytes) {
  MemorySource source(bytes);
  archive::TarReader reader(source);
  std::vector<std::string> names;
  while (const auto entry = reader.next()) names.push_back(entry->path);
  return names;
}

std::string member(const Bytes& bytes, std::string_view name) {
  MemorySource source(bytes);
  archive::TarReader reader(source);
  while (const auto entry = reader.next()) {
    if (entry->path == name) return std::string(as_text(read_all(reader.data(), 1'000'000)));
  }
  return {};
}

TEST(WriteArchive, NamesTheImageForEveryEngine) {
  MemoryBlobs blobs;
  const SealedImage image = seal(image_of({blobs.add_layer({{"a", "1"}})}));
  const Bytes bytes = archive_of(image, blobs, name_app_1, all_layers(image.image));
  const std::string prefix = "blobs/sha256/";
  EXPECT_THAT(member_names(bytes),
              ElementsAre("oci-layout", "index.json", "manifest.json", prefix + image.manifest_digest.hex(),
                          prefix + image.config_digest.hex(), prefix + image.image.layers[0].blob.hex()));
  EXPECT_EQ(member(bytes, "manifest.json"), "[{\"Config\":\"blobs/sha256/" + image.config_digest.hex() +
                                                "\",\"RepoTags\":[\"app:1\"],\"Layers\":[\"blobs/sha256/" +
                                                image.image.layers[0].blob.hex() + "\"]}]");
  const Value index = parse_json(member(bytes, "index.json"));
  const Value& annotations = index.at("manifests").array().at(0).at("annotations");
  EXPECT_EQ(annotations.at("io.containerd.image.name").string(), "docker.io/library/app:1");
  EXPECT_EQ(annotations.at("org.opencontainers.image.ref.name").string(), "1");
  EXPECT_EQ(archive_of(image, blobs, name_app_1, all_layers(image.image)), bytes);
}

TEST(WriteArchive, WithoutNamesTheImageIsUntagged) {
  MemoryBlobs blobs;
  const SealedImage image = seal(image_of({blobs.add_layer({{"a", "1"}})}));
  const Bytes bytes = archive_of(image, blobs, {}, all_layers(image.image));
  EXPECT_THAT(member(bytes, "manifest.json"), HasSubstr("\"RepoTags\":null"));
  EXPECT_EQ(opened(bytes).read({}).manifest_digest, image.manifest_digest);
}

TEST(WriteArchive, SparseOnesHoldEverythingButTheLayersLeftOut) {
  MemoryBlobs blobs;
  const SealedImage image = seal(image_of({blobs.add_layer({{"a", "1"}}), blobs.add_layer({{"b", "2"}})}));
  const BlobDigest top = image.image.layers[1].blob;
  const Bytes bytes = archive_of(image, MemoryBlobs(blobs), name_app_1, {top});
  const DockerArchive archive = opened(bytes);
  const SealedImage read = archive.read({});
  EXPECT_EQ(read.manifest, image.manifest);
  EXPECT_TRUE(archive.contains(top));
  EXPECT_FALSE(archive.contains(image.image.layers[0].blob));
  EXPECT_EQ(error_of([&] { archive.open(image.image.layers[0].blob); }).kind(), ErrorKind::not_found);
  // Configuration only.
  EXPECT_EQ(member_names(archive_of(image, blobs, name_app_1, {})).size(), 5u);
}

TEST(WriteArchive, Case29ABlobIsInItOncePerDigest) {
  MemoryBlobs blobs;
  const Layer e = blobs.add_layer({{"e", "1"}});
  const Layer w = blobs.add_layer({{".wh.e", ""}});
  const SealedImage image = seal(image_of({e, w, e}));
  const Bytes bytes = archive_of(image, blobs, name_app_1, all_layers(image.image));
  EXPECT_EQ(member_names(bytes).size(), 5u + 2u);
  EXPECT_EQ(parse_json(member(bytes, "manifest.json")).array().at(0).at("Layers").array().size(), 3u);
  EXPECT_EQ(opened(bytes).read({}).image.layers.size(), 3u);
}

TEST(WriteArchive, LayersAreVerifiedOnTheWay) {
  MemoryBlobs blobs;
  const SealedImage image = seal(image_of({blobs.add_layer({{"a", "1"}})}));
  blobs.add(image.image.layers[0].blob, Bytes(image.image.layers[0].size));
  CountingSink sink;
  EXPECT_EQ(error_of([&] { write_archive(sink, image, blobs, name_app_1, all_layers(image.image)); }).kind(),
            ErrorKind::verification);
}

TEST(DockerArchive, FindsImagesByTagOrWholeName) {
  MemoryBlobs blobs;
  const SealedImage image = seal(image_of({blobs.add_layer({{"a", "1"}})}));
  const DockerArchive archive =
      opened(archive_of(image, blobs, {parse_reference("app:1"), parse_reference("registry.example/app:2")}, {}));
  for (const char* tag : {"1", "app:1", "docker.io/library/app:1", "2", "registry.example/app:2"}) {
    EXPECT_EQ(archive.read({tag, {}}).manifest_digest, image.manifest_digest) << tag;
  }
  EXPECT_EQ(error_of([&] { archive.read({"app:3", {}}); }).kind(), ErrorKind::not_found);
  EXPECT_THAT(error_of([&] { archive.read({}); }).what(), HasSubstr("docker.io/library/app:1, registry.example/app:2"));
  EXPECT_EQ(error_of([&] { archive.read({"1", Platform{"linux", "arm64", ""}}); }).kind(), ErrorKind::not_found);
}

/// An archive as old engines saved it.
struct Legacy {
  std::string layer = TarBuilder().file("a", "hello").finish();
  std::string config = R"({"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["sha256:)" +
                       sha256(layer).hex() + R"("]}})";
  std::string config_name = sha256(config).hex() + ".json";
  std::string manifest(std::string_view layers, std::string_view tag = "old:1") const {
    return "[{\"Config\":\"" + config_name + "\",\"RepoTags\":[\"" + std::string(tag) +
           "\"],\"Layers\":" + std::string(layers) + "}]";
  }
};

TEST(DockerArchive, ReadsTheOldForm) {
  const Legacy legacy;
  const DockerArchive archive = opened(TarBuilder()
                                           .file("1/layer.tar", legacy.layer)
                                           .file(legacy.config_name, legacy.config)
                                           .file("manifest.json", legacy.manifest(R"(["1/layer.tar"])")));
  const SealedImage image = archive.read({"old:1", {}});
  EXPECT_EQ(image.config, legacy.config);
  ASSERT_EQ(image.image.layers.size(), 1u);
  EXPECT_EQ(image.image.layers[0].encoding, Encoding::tar);
  EXPECT_EQ(image.image.layers[0].blob.hash, image.image.layers[0].diff_id.hash);
  EXPECT_EQ(sha256(*open_layer(archive, image.image.layers[0])), sha256(legacy.layer));
}

TEST(DockerArchive, FollowsLinksInside) {
  const Legacy legacy;
  const DockerArchive archive = opened(TarBuilder()
                                           .file("0/layer.tar", legacy.layer)
                                           .symlink("1/layer.tar", "../0/layer.tar")
                                           .file(legacy.config_name, legacy.config)
                                           .file("manifest.json", legacy.manifest(R"(["1/layer.tar"])")));
  EXPECT_EQ(sha256(*open_layer(archive, archive.read({}).image.layers[0])), sha256(legacy.layer));
}

TEST(DockerArchive, RefusesWhatLeadsOutOrContradicts) {
  const Legacy legacy;
  const auto with = [&](const TarBuilder& tar) { return [tar] { opened(tar); }; };
  const auto base = [&] {
    return TarBuilder().file("1/layer.tar", legacy.layer).file(legacy.config_name, legacy.config);
  };
  const std::string good = legacy.manifest(R"(["1/layer.tar"])");
  const auto refusal = [](const auto& action) {
    const Error error = error_of(action);
    EXPECT_EQ(error.kind(), ErrorKind::refused) << error.what();
    return std::string(error.what());
  };
  EXPECT_NO_THROW(opened(base().file("manifest.json", good)));
  EXPECT_THAT(refusal(with(base())), HasSubstr("neither an index.json nor a manifest.json"));
  EXPECT_THAT(refusal(with(base().file("manifest.json", "[]").file("manifest.json", good))), HasSubstr("two files"));
  EXPECT_THAT(refusal(with(base().file("manifest.json", "{}"))), HasSubstr("expected an array"));
  EXPECT_THAT(refusal(with(base().file("manifest.json", "["))), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal(with(base().file("manifest.json", legacy.manifest(R"(["../../etc/passwd"])")))),
              HasSubstr("leads out of the archive"));
  EXPECT_THAT(refusal(with(base().file("manifest.json", legacy.manifest(R"(["/etc/passwd"])")))),
              HasSubstr("leads out of the archive"));
  EXPECT_THAT(refusal(with(base().symlink("l", "/etc/passwd").file("manifest.json", legacy.manifest(R"(["l"])")))),
              HasSubstr("leads out of the archive"));
  EXPECT_THAT(refusal(with(base().symlink("l", "../x").file("manifest.json", legacy.manifest(R"(["l"])")))),
              HasSubstr("leads out of the archive"));
  EXPECT_THAT(refusal(with(base().symlink("l", "l").file("manifest.json", legacy.manifest(R"(["l"])")))),
              HasSubstr("chain"));
  EXPECT_THAT(refusal(with(base().symlink("l", "nope").file("manifest.json", legacy.manifest(R"(["l"])")))),
              HasSubstr("leads nowhere"));
  EXPECT_THAT(refusal(with(base().file("../x", "y").file("manifest.json", good))), HasSubstr("leads out of it"));
  EXPECT_THAT(refusal(with(base().file("manifest.json", legacy.manifest(R"(["1/layer.tar"])", "UPPER:x y")))),
              HasSubstr("no image name"));
  // Fewer or more layers than diff IDs.
  EXPECT_THAT(refusal(with(base().file("manifest.json", legacy.manifest("[]")))), HasSubstr("lists 0 layers"));
  EXPECT_THAT(refusal(with(base().file("manifest.json", legacy.manifest(R"(["1/layer.tar","1/layer.tar"])")))),
              HasSubstr("lists 2 layers"));
  const Error wrong = error_of(with(TarBuilder()
                                        .file("1/layer.tar", legacy.layer)
                                        .file(legacy.config_name, legacy.config + " ")
                                        .file("manifest.json", good)));
  EXPECT_EQ(wrong.kind(), ErrorKind::verification);
}

TEST(DockerArchive, IndexAndManifestMustTellOfTheSameImage) {
  MemoryBlobs blobs;
  const SealedImage image = seal(image_of({blobs.add_layer({{"a", "1"}})}));
  const Bytes bytes = archive_of(image, blobs, name_app_1, all_layers(image.image));
  const Legacy legacy;
  TarBuilder tar;
  MemorySource source(bytes);
  archive::TarReader reader(source);
  while (const auto entry = reader.next()) {
    const Bytes data = read_all(reader.data(), 1'000'000);
    if (entry->path != "manifest.json") tar.file(entry->path, as_text(data));
  }
  EXPECT_NO_THROW(opened(tar).read({}));  // an OCI layout in a tar, no more
  tar.file("1/layer.tar", legacy.layer)
      .file(legacy.config_name, legacy.config)
      .file("manifest.json", legacy.manifest(R"(["1/layer.tar"])"));
  EXPECT_THAT(error_of([&] { opened(tar).read({}); }).what(), HasSubstr("different images"));
}

/// Counts the bytes that are read.
class CountingAccess : public RandomAccess {
 public:
  explicit CountingAccess(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void read_at(std::uint64_t offset, std::span<std::byte> into) const override {
    count_ += into.size();
    std::ranges::copy(as_bytes(bytes_).subspan(offset, into.size()), into.begin());
  }
  std::uint64_t count() const { return count_; }

 private:
  std::string_view bytes_;
  mutable std::uint64_t count_ = 0;
};

TEST(DockerArchive, DataOfLayersIsNotReadUntilItIsAskedFor) {
  constexpr std::uint64_t large = 3 << 20;
  const Legacy legacy;
  const std::string old_form = TarBuilder()
                                   .file("unrelated", std::string(large, 'u'))
                                   .file("1/layer.tar", std::string(large, 'l'))
                                   .file(legacy.config_name, legacy.config)
                                   .file("manifest.json", legacy.manifest(R"(["1/layer.tar"])"))
                                   .finish();
  const std::string behind_the_end = old_form + std::string(large, 'x');
  for (const std::string& archive : {old_form, behind_the_end}) {
    const auto counted = std::make_shared<CountingAccess>(archive);
    const DockerArchive opened(counted);
    const SealedImage image = opened.read({});
    EXPECT_LT(counted->count(), 16 * 1024u);
    // That the data is not what the configuration says is found as soon as it is read.
    EXPECT_EQ(error_of([&] { sha256(*open_layer(opened, image.image.layers[0])); }).kind(), ErrorKind::verification);
    EXPECT_GT(counted->count(), large);
  }
}

TEST(DockerArchive, CompressedFilesAreRead) {
  const Legacy legacy;
  const std::string tar = TarBuilder()
                              .file("1/layer.tar", legacy.layer)
                              .file(legacy.config_name, legacy.config)
                              .file("manifest.json", legacy.manifest(R"(["1/layer.tar"])"))
                              .finish();
  MemorySource source(as_bytes(tar));
  BytesSink gzipped;
  archive::gzip_tar(source, gzipped);
  const TemporaryFolder folder(std::filesystem::temp_directory_path(), "test");
  const std::filesystem::path file = folder.path() / "saved.tar.gz";
  write_text_file(file, as_text(gzipped.bytes()));
  const DockerArchive archive = DockerArchive::open(file);
  EXPECT_EQ(sha256(*open_layer(archive, archive.read({}).image.layers[0])), sha256(legacy.layer));

  write_text_file(file, as_text(gzipped.bytes()).substr(0, gzipped.bytes().size() - 20));
  EXPECT_EQ(error_of([&] { DockerArchive::open(file); }).kind(), ErrorKind::refused);
  write_text_file(file, std::string_view("\xfd"
                                         "7zXZ\0..",
                                         8));
  EXPECT_THAT(error_of([&] { DockerArchive::open(file); }).what(), HasSubstr("xz"));
}

TEST(DockerArchive, CompressedOnesAreRefusedByName) {
  const Error error = error_of([] { opened(Bytes{std::byte{0x1f}, std::byte{0x8b}, std::byte{8}, std::byte{0}}); });
  EXPECT_EQ(error.kind(), ErrorKind::refused);
  EXPECT_THAT(error.what(), HasSubstr("gzip"));
}

}  // namespace
}  // namespace veneer::image
