#include "image/places/engine_place.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>

#include "engine/engine_images.hh"
#include "engine/local_engines.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/temporary.hh"
#include "image/media/archive_writer.hh"
#include "image/open_layer.hh"
#include "tests/unit/image/stored_layers.hh"

namespace veneer::image {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// What the engine holds, and what it was asked.
struct MadeUpEngine {
  std::map<std::string, std::string> answers;  // by target
  std::vector<std::string> asked;
};

class MadeUpTransport : public engine::EngineTransport {
 public:
  explicit MadeUpTransport(MadeUpEngine& engine) : engine_(engine) {}
  engine::EngineAnswer call(const engine::EngineRequest& request) override {
    engine_.asked.push_back(request.method + " " + request.target);
    const auto found = engine_.answers.find(request.target);
    if (found == engine_.answers.end()) return {404, R"({"message":"No such image"})"};
    return {200, found->second};
  }
  engine::EngineAnswer upload(const engine::EngineRequest&, ByteSource&, std::uint64_t, ByteSink&) override {
    return {500, ""};
  }
  engine::EngineAnswer download(const std::string& target, ByteSink& on_success) override {
    engine_.asked.push_back("GET " + target);
    const auto found = engine_.answers.find(target);
    if (found == engine_.answers.end()) return {500, R"({"message":"disk is broken"})"};
    on_success.write(as_bytes(found->second));
    return {200, ""};
  }

 private:
  MadeUpEngine& engine_;
};

class EnginePlaceTest : public ::testing::Test {
 protected:
  EnginePlaceTest() : folder_(fs::temp_directory_path(), "engine-place") {
    context_.cache = folder_.path();
    context_.note = [this](const std::string& text) { notes_ += text + "\n"; };
    image_ = seal(tests::image_of({blobs_.add_layer({{"file", std::string(5000, 'x')}})}));
    hold("docker.io/library/shop:1", image_);
  }

  void hold(const std::string& name, const SealedImage& image) {
    engine_.answers[fmt::format("/images/{}/json", name)] =
        fmt::format(R"({{"Id":"{}","Os":"linux","Architecture":"amd64","Size":5000}})", image.config_digest.text());
    BytesSink archive;
    write_archive(archive, image, blobs_, {parse_reference(name)}, all_layers(image.image));
    engine_.answers[fmt::format("/images/{}/get", image.config_digest.text())] = as_text(archive.bytes());
  }

  std::shared_ptr<const ImagePlace> place(const std::string& text, LocalNames names = LocalNames::as_docker) {
    return engine_place([this](const PlaceContext&) { return std::make_unique<MadeUpTransport>(engine_); },
                        read_engine_image_name(text, names), "docker:" + text);
  }
  fs::path kept() const { return folder_.path() / "engine-images" / (image_.config_digest.hex() + ".tar"); }
  std::size_t exports() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(engine_.asked, [](const std::string& text) { return text.ends_with("/get"); }));
  }

  TemporaryFolder folder_;
  PlaceContext context_;
  std::string notes_;
  MadeUpEngine engine_;
  tests::MemoryBlobs blobs_;
  SealedImage image_;
};

TEST_F(EnginePlaceTest, IsReadOnceForOneId) {
  for (int i = 0; i < 2; ++i) {
    const OpenedImage opened = place("shop:1")->read(std::nullopt, context_);
    EXPECT_EQ(opened.sealed.config_digest, image_.config_digest);
    EXPECT_EQ(opened.name, "docker:shop:1");
    EXPECT_EQ(opened.reference->familiar(), "shop:1");
    EXPECT_NO_THROW(sha256(*open_layer(*opened.blobs, opened.sealed.image.layers[0])));
  }
  EXPECT_EQ(exports(), 1U);
  // The name moves to another image.
  const SealedImage other = seal(tests::image_of({blobs_.add_layer({{"other", "y"}})}));
  hold("docker.io/library/shop:1", other);
  EXPECT_EQ(place("shop:1")->read(std::nullopt, context_).sealed.config_digest, other.config_digest);
  EXPECT_EQ(exports(), 2U);
  EXPECT_EQ(fs::status(kept()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(EnginePlaceTest, ByIdItHasNoNameToGive) {
  const std::string id = image_.config_digest.text();
  engine_.answers["/images/" + id + "/json"] = engine_.answers["/images/docker.io/library/shop:1/json"];
  const OpenedImage opened = place(id)->read(std::nullopt, context_);
  EXPECT_EQ(opened.sealed.config_digest, image_.config_digest);
  EXPECT_EQ(opened.reference, std::nullopt);
}

TEST_F(EnginePlaceTest, PodmanLooksForItsOwnFirst) {
  EXPECT_THAT(read_engine_image_name("shop", LocalNames::as_podman).asked,
              ElementsAre("localhost/shop:latest", "docker.io/library/shop:latest"));
  EXPECT_THAT(read_engine_image_name("ghcr.io/shop:1", LocalNames::as_podman).asked, ElementsAre("ghcr.io/shop:1"));
  const std::string digest = "sha256:" + std::string(64, 'a');
  EXPECT_THAT(read_engine_image_name("shop:1@" + digest, LocalNames::as_docker).asked,
              ElementsAre("docker.io/library/shop@" + digest));
  EXPECT_THAT(read_engine_image_name(digest, LocalNames::as_podman).asked, ElementsAre(digest));
}

TEST_F(EnginePlaceTest, WhatIsNotThereIsSaid) {
  EXPECT_EQ(place("shop:1")->absence(context_), std::nullopt);
  EXPECT_EQ(place("shop:2")->absence(context_), "it has no such image");
  try {
    place("shop:2")->read(std::nullopt, context_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
    EXPECT_THAT(error.what(), HasSubstr("docker:shop:2"));
    EXPECT_FALSE(error.hint().empty());
  }
  try {
    place("shop:1")->read(Platform{"linux", "arm64", ""}, context_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
    EXPECT_THAT(error.what(), HasSubstr("arm64"));
  }
}

TEST_F(EnginePlaceTest, AnEngineThatFailsLeavesNothing) {
  engine_.answers.erase("/images/" + image_.config_digest.text() + "/get");
  try {
    place("shop:1")->read(std::nullopt, context_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::network);
    EXPECT_THAT(error.what(), HasSubstr("disk is broken"));
  }
  EXPECT_TRUE(fs::is_empty(folder_.path() / "engine-images"));
}

TEST_F(EnginePlaceTest, AnotherImageThanAskedForIsRefused) {
  const SealedImage other = seal(tests::image_of({blobs_.add_layer({{"other", "y"}})}));
  hold("docker.io/library/other:1", other);
  engine_.answers["/images/" + image_.config_digest.text() + "/get"] =
      engine_.answers["/images/" + other.config_digest.text() + "/get"];
  EXPECT_THROW(place("shop:1")->read(std::nullopt, context_), Error);
}

TEST_F(EnginePlaceTest, ADamagedCopyIsTakenAgain) {
  static_cast<void>(place("shop:1")->read(std::nullopt, context_));
  fs::resize_file(kept(), 1000);
  static_cast<void>(place("shop:1")->read(std::nullopt, context_));
  EXPECT_EQ(exports(), 2U);
  EXPECT_THAT(notes_, HasSubstr(kept().native()));

  // In the layer: it is found when that is read, and the next run takes the image again.
  const OpenedImage opened = place("shop:1")->read(std::nullopt, context_);
  const std::string text = read_text_file(kept(), 1 << 20);
  const std::size_t layer = text.find("\x1f\x8b");
  ASSERT_NE(layer, std::string::npos);
  std::fstream file(kept(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(layer + 40));
  file << "damage";
  file.close();
  try {
    sha256(*open_blob(*opened.blobs, opened.sealed.image.layers[0]));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::verification);
    EXPECT_THAT(error.what(), HasSubstr(kept().native()));
    EXPECT_THAT(error.hint(), HasSubstr("again"));
  }
  EXPECT_FALSE(fs::exists(kept()));
}

TEST(EngineImages, ReadsWhatEnginesAnswer) {
  const std::string hex(64, 'a');
  EXPECT_EQ(engine::read_engine_image(R"({"Id":"sha256:)" + hex + R"("})")->id.hex(), hex);
  const auto podman = engine::read_engine_image(R"({"Id":")" + hex + R"(","Os":"linux","Variant":"v8","Size":7})");
  EXPECT_EQ(podman->variant, "v8");
  EXPECT_EQ(podman->size, 7U);
  for (const std::string answer :
       {"", "[]", "{}", R"({"Id":5})", R"({"Id":"sha256:12"})", R"({"Id":null,"Size":-1})"}) {
    EXPECT_FALSE(engine::read_engine_image(answer)) << answer;
  }
}

TEST(LocalEngines, AreFoundAsTheirClientsDo) {
  std::map<std::string, std::string> variables;
  const engine::Environment environment = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  EXPECT_EQ(engine::choose_docker(environment).address().socket, "/var/run/docker.sock");
  variables["DOCKER_HOST"] = "tcp://10.0.0.1:2376";
  variables["DOCKER_TLS_VERIFY"] = "1";
  variables["HOME"] = "/home/me";
  EXPECT_EQ(engine::choose_docker(environment).address().server, "10.0.0.1:2376");
  EXPECT_EQ(engine::choose_docker(environment).address().certificates, "/home/me/.docker");
  variables["DOCKER_HOST"] = "ssh://plant";
  EXPECT_THROW(engine::choose_docker(environment).address(), Error);

  const TemporaryFolder folder(fs::temp_directory_path(), "podman");
  variables["XDG_RUNTIME_DIR"] = folder.path().native();
  fs::create_directories(folder.path() / "podman");
  std::ofstream(folder.path() / "podman" / "podman.sock") << "";
  EXPECT_EQ(engine::podman_address(environment, 4'000'000).socket, (folder.path() / "podman" / "podman.sock").native());
  variables["CONTAINER_HOST"] = "unix:///run/other.sock";
  EXPECT_EQ(engine::podman_address(environment, 4'000'000).socket, "/run/other.sock");
}

}  // namespace
}  // namespace veneer::image
