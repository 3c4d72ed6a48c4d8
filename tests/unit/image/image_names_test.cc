#include "image/places/image_names.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>
#include <random>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/temporary.hh"
#include "image/media/oci_layout.hh"
#include "image/places/file_places.hh"
#include "tests/support/errors.hh"
#include "tests/unit/image/made_up_place/memory_place.hh"
#include "tests/unit/image/stored_layers.hh"

namespace veneer::image {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using tests::error_of;

class ImageNames : public ::testing::Test {
 protected:
  ImageNames() : folder_(fs::temp_directory_path(), "names") {
    context_.store = folder_.path() / ".veneer";
    context_.cache = folder_.path() / "cache";
    context_.environment = [this](const std::string& name) -> std::optional<std::string> {
      // No engine of the machine is asked.
      if (name == "DOCKER_HOST" || name == "CONTAINER_HOST") return "unix://" + (folder_.path() / "absent").native();
      return std::nullopt;
    };
    context_.note = [this](const std::string& text) { notes_ += text + "\n"; };
  }

  OpenedImage open(const std::string& text) { return open_image(read_image_name(text, kinds_), context_, kinds_); }

  TemporaryFolder folder_;
  PlaceContext context_;
  PlaceKinds kinds_ = place_kinds();
  std::string notes_;
};

TEST_F(ImageNames, PathsEndWhereTheyExist) {
  const auto split = [&](std::string_view rest) {
    const PathAndTag found = split_path_and_tag(rest, folder_.path());
    return found.path.lexically_relative(folder_.path()).native() + " " + found.tag.value_or("-");
  };
  fs::create_directories(folder_.path() / "a:b");
  std::ofstream(folder_.path() / "app.tar") << "x";
  EXPECT_EQ(split("some/dir"), "some/dir -");
  EXPECT_EQ(split("new:1.2"), "new 1.2");
  EXPECT_EQ(split("new:team/app:1.2"), "new team/app:1.2");
  EXPECT_EQ(split("new:registry.example:5000/team/app:1.2"), "new registry.example:5000/team/app:1.2");
  EXPECT_EQ(split("app.tar:team/app:1.2"), "app.tar team/app:1.2");
  EXPECT_EQ(split("app.tar:registry.example:5000/app@sha256:00"), "app.tar registry.example:5000/app@sha256:00");
  EXPECT_EQ(split("a:b"), "a:b -");
  EXPECT_EQ(split("a:b:v1"), "a:b v1");
  EXPECT_EQ(split("a:b/new.tar"), "a:b/new.tar -");
  EXPECT_EQ(split("a:b/new.tar:shop:1"), "a:b/new.tar shop:1");
  for (const char* wrong : {"", ":tag", "new:"}) EXPECT_THROW(split(wrong), Error) << wrong;
}

TEST_F(ImageNames, WrongOnesAreUsageErrorsWithAHint) {
  for (const std::string text : {"", "oci:", "oci::tag", "oci:dir:", "docker-archive:", "docker:", "podman:UPPER", "A",
                                 "docker:a b", "registry:", "registry:a b"}) {
    for (const auto& read : std::vector<std::function<void()>>{[&] { read_image_name(text, kinds_); },
                                                               [&] { read_base_name(text, {}, kinds_); },
                                                               [&] { read_output_name(text, kinds_); }}) {
      const Error error = error_of(read);
      EXPECT_EQ(error.kind(), ErrorKind::usage) << text;
      EXPECT_FALSE(error.hint().empty()) << text << ": " << error.what();
    }
  }
  const Error base = error_of([&] { read_base_name("Python:3.12", {}, kinds_); });
  EXPECT_THAT(base.hint(), HasSubstr("debian:SUITE, name[:tag][@digest] of a registry"));
  for (const std::string place : {"docker:shop", "podman:shop", "registry:shop", "shop:1", "oci:out:a b",
                                  "docker-archive:app.tar:Shop", "oci:out:shop:1!2.0"}) {
    EXPECT_EQ(error_of([&] { read_output_name(place, kinds_); }).kind(), ErrorKind::usage) << place;
  }
}

// A base, and what is pulled, is a registry's without saying so, as Docker reads it; an image when its name spells one
// out.
TEST_F(ImageNames, NamesOfRegistries) {
  const auto full = [](const auto& place) { return place->reference().value_or(Reference{}).full(); };
  EXPECT_EQ(full(read_base_name("python:3.13-slim", {})), "docker.io/library/python:3.13-slim");
  EXPECT_EQ(full(read_base_name("127.0.0.1:5000/x", {})), "127.0.0.1:5000/x:latest");
  EXPECT_EQ(full(read_pulled_name("team/shop").place), "docker.io/team/shop:latest");
  EXPECT_EQ(full(read_pulled_name("registry:shop:2").place), "docker.io/library/shop:2");
  EXPECT_EQ(full(read_image_name("registry:localhost/shop").place), "localhost/shop:latest");
  EXPECT_EQ(read_image_name("localhost/shop").place, nullptr);  // the store comes first
  EXPECT_EQ(read_image_name("registry:shop@sha256:" + std::string(64, '0')).place->reference(), std::nullopt);
  EXPECT_THROW(read_pulled_name("Shop"), Error);
}

// Whatever veneer shows of an image that was built may be written to mean it: by every way to write it.
TEST_F(ImageNames, WhatIsWrittenIsReadBack) {
  std::mt19937 random(7);
  const auto pick = [&](const auto& from) { return std::string(from[random() % from.size()]); };
  const std::vector<std::string> hosts = {"",
                                          "",
                                          "localhost/",
                                          "ghcr.io/",
                                          "registry.example:5000/",
                                          "[::1]:5000/",
                                          "UPPER.example/",
                                          "127.0.0.1:1/",
                                          "docker.io/",
                                          "docker.io/library/"};
  const std::vector<std::string> paths = {"shop",   "team/shop", "a/b/c-d", "x__y",    "0",          "sha256",
                                          "latest", "tar",       "a--b",    "oci.x/y", "library/a/b"};
  const std::vector<std::string> tags = {
      "1.0", "latest", "_x", "V1-2_3.4", std::string(128, 't'), "sha256", "0", "1", "oci", "a-b", "docker", "5000"};
  const std::vector<std::string> folders = {"plain", "with:colon", "a:b:c", "deep/er:1/x", "host.example:5000"};
  for (int round = 0; round < 40; ++round) {
    const std::string repository = pick(hosts) + pick(paths);
    const std::string tag = pick(tags);
    const std::string name = parse_reference(repository + ":" + tag).familiar();
    if (names_a_place(name)) continue;  // build shows these in full
    const std::string folder = (folder_.path() / std::to_string(round) / pick(folders)).native();
    fs::create_directories(fs::path(folder).parent_path());
    SCOPED_TRACE(name + " in " + folder);

    tests::MemoryBlobs layers;
    const SealedImage sealed = seal(tests::image_of({layers.add_layer({{"file", std::to_string(round)}})}));
    const SealedImage other = seal(tests::image_of({layers.add_layer({{"file", "other"}})}));
    const std::string digest = sealed.manifest_digest.text();
    context_.store = folder;
    OciLayout::create(context_.store).write(sealed, layers, name);
    OciLayout::create(context_.store).write(other, layers, "another.example/one:1");
    // The store.
    for (const std::string& text :
         {name, repository + ":" + tag, repository, repository + "@" + digest, name + "@" + digest}) {
      const OpenedImage opened = open(text);
      EXPECT_EQ(opened.sealed.manifest_digest, sealed.manifest_digest) << text;
      EXPECT_EQ(opened.name, name) << text;
      EXPECT_EQ(opened.reference, parse_reference(name)) << text;
    }
    // The same folder, and an archive, by their exact names; as an image and as a base.
    const std::string archive = "docker-archive:" + folder + ".tar:x.tar";
    std::ofstream(folder + ".tar:x.tar") << "old";
    EXPECT_EQ(read_output_name(archive + ":" + name, kinds_)->write(sealed, layers, "unused:1", KeptFiles()),
              folder + ".tar:x.tar");
    for (const std::string& place : {"oci:" + folder, archive}) {
      for (const std::string& text : {":" + name, ":" + repository + ":" + tag, ":" + repository + "@" + digest,
                                      ":" + name + "@" + digest, ":" + repository}) {
        const OpenedImage opened = open(place + text);
        EXPECT_EQ(opened.sealed.manifest_digest, sealed.manifest_digest) << place << text;
        EXPECT_EQ(open(opened.name).sealed.manifest_digest, sealed.manifest_digest) << opened.name;
        const auto base = read_base_name(place + text, {}, kinds_)->read(sealed.image.config.platform, context_);
        EXPECT_EQ(base.sealed.manifest_digest, sealed.manifest_digest) << place << text;
      }
    }
  }
}

TEST_F(ImageNames, DamageInALayoutThatIsWrittenToIsSaid) {
  tests::MemoryBlobs layers;
  const SealedImage sealed = seal(tests::image_of({layers.add_layer({{"file", "text"}})}));
  const fs::path folder = folder_.path() / "out";
  const auto place = read_output_name("oci:" + folder.native(), kinds_);
  std::vector<fs::path> damaged;
  const KeptFiles files({}, [&](const fs::path& path, const std::string&) { damaged.push_back(path); });
  place->write(sealed, layers, "shop:1", files);
  EXPECT_TRUE(damaged.empty());
  const fs::path blob = folder / "blobs" / "sha256" / sealed.image.layers[0].blob.hex();
  std::ofstream(blob) << "damage";
  place->write(sealed, layers, "shop:1", files);
  EXPECT_THAT(damaged, ::testing::ElementsAre(blob));
  EXPECT_NO_THROW(open("oci:" + folder.native()));
  EXPECT_EQ(BlobDigest{sha256(*std::make_unique<File>(blob))}, sealed.image.layers[0].blob);
}

TEST_F(ImageNames, WhatIsNotThereIsSaidWithWhatIs) {
  const Error nothing = error_of([&] { open("shop:1"); });
  EXPECT_EQ(nothing.kind(), ErrorKind::not_found);
  EXPECT_THAT(nothing.what(), HasSubstr("there is no image shop:1 here"));
  EXPECT_THAT(nothing.hint(), HasSubstr("veneer build"));
  EXPECT_THAT(nothing.hint(), HasSubstr("docker:NAME"));
  tests::MemoryBlobs layers;
  OciLayout::create(context_.store).write(seal(tests::image_of({layers.add_layer({{"a", "b"}})})), layers, "shop:2");
  const Error other = error_of([&] { open("shop:1"); });
  EXPECT_THAT(other.hint(), HasSubstr("there is shop:2;"));
  EXPECT_EQ(open("shop").name, "shop:2");
  EXPECT_THAT(notes_, HasSubstr("shop is shop:2"));
}

// "A made-up place for images in a test touches one folder and one line of registration": the folder is
// made_up_place/, this is the line.
TEST_F(ImageNames, AMadeUpPlaceNeedsOneLine) {
  kinds_.push_back(made_up::memory_kind());

  tests::MemoryBlobs layers;
  const SealedImage sealed = seal(tests::image_of({layers.add_layer({{"file", "text"}})}));
  EXPECT_EQ(read_output_name("memory:kept", kinds_)->write(sealed, layers, "shop:1", KeptFiles()), "memory, as kept");
  EXPECT_EQ(open("memory:kept").sealed.manifest_digest, sealed.manifest_digest);
  EXPECT_EQ(open("memory:kept").name, "memory:kept");
  EXPECT_EQ(
      read_base_name("memory:kept", {}, kinds_)->read(sealed.image.config.platform, context_).sealed.manifest_digest,
      sealed.manifest_digest);
  // A name without prefix is found there, for its kind says so.
  EXPECT_EQ(open("kept").name, "memory:kept");
  EXPECT_THAT(notes_, HasSubstr("kept is memory:kept"));
  EXPECT_EQ(error_of([&] { open("memory:lost"); }).kind(), ErrorKind::not_found);
  EXPECT_THAT(error_of([&] { read_output_name("nowhere", kinds_); }).hint(), HasSubstr("memory:KEY"));
  EXPECT_THAT(error_of([&] { read_base_name("Nowhere", {}, kinds_); }).hint(), HasSubstr("memory:KEY"));
  EXPECT_THAT(error_of([&] { open("nowhere"); }).hint(), HasSubstr("memory:KEY"));
}

}  // namespace
}  // namespace veneer::image
