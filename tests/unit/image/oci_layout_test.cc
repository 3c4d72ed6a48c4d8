#include "image/media/oci_layout.hh"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "foundation/error.hh"
#include "foundation/fail_point.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"
#include "image/open_layer.hh"
#include "tests/support/errors.hh"
#include "tests/unit/image/stored_layers.hh"

namespace veneer::image {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using tests::error_of;
using tests::image_of;
using tests::MemoryBlobs;

class OciLayoutTest : public ::testing::Test {
 protected:
  fs::path path(std::string_view name) const { return folder_.path() / name; }

  TemporaryFolder folder_{fs::temp_directory_path(), "layout"};
  MemoryBlobs blobs_;
};

std::size_t count_files(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST_F(OciLayoutTest, WhatIsWrittenIsRead) {
  const SealedImage image = seal(image_of({blobs_.add_layer({{"a", "1"}}), blobs_.add_layer({{"b", "2"}})}));
  OciLayout layout = OciLayout::create(path("store"));
  layout.write(image, blobs_, "1.0");
  const OciLayout again = OciLayout::open(path("store"));
  for (const ImageRequest& request : {ImageRequest{"1.0", {}}, ImageRequest{{}, {}}}) {
    const SealedImage read = again.read(request);
    EXPECT_EQ(read.manifest, image.manifest);
    EXPECT_EQ(read.config, image.config);
    EXPECT_EQ(read.image.layers.size(), 2u);
    EXPECT_EQ(read.image.layers[1].diff_id, image.image.layers[1].diff_id);
  }
  EXPECT_NO_THROW(sha256(*open_layer(again, image.image.layers[0])));
  EXPECT_EQ(read_text_file(path("store/oci-layout"), 100), "{\"imageLayoutVersion\":\"1.0.0\"}");
  struct stat status {};
  ::stat((path("store/blobs/sha256") / image.image.layers[0].blob.hex()).c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777, 0644u);
}

TEST_F(OciLayoutTest, ATagMovesAndOthersStay) {
  const SealedImage first = seal(image_of({blobs_.add_layer({{"a", "1"}})}));
  const SealedImage second = seal(image_of({blobs_.add_layer({{"a", "2"}})}));
  OciLayout layout = OciLayout::create(path("store"));
  layout.write(first, blobs_, "live");
  layout.write(first, blobs_, "old");
  layout.write(second, blobs_, "live");
  EXPECT_EQ(layout.read({"live", {}}).manifest_digest, second.manifest_digest);
  EXPECT_EQ(layout.read({"old", {}}).manifest_digest, first.manifest_digest);
  EXPECT_EQ(layout.index().manifests.size(), 2u);
}

TEST_F(OciLayoutTest, SeveralImagesWithoutATagAreAnErrorThatListsThem) {
  const SealedImage image = seal(image_of({blobs_.add_layer({{"a", "1"}})}));
  OciLayout layout = OciLayout::create(path("store"));
  layout.write(image, blobs_, "a");
  layout.write(image, blobs_, "b");
  const Error several = error_of([&] { layout.read({}); });
  EXPECT_EQ(several.kind(), ErrorKind::refused);
  EXPECT_THAT(several.what(), HasSubstr("a, b"));
  const Error absent = error_of([&] { layout.read({"c", {}}); });
  EXPECT_EQ(absent.kind(), ErrorKind::not_found);
  EXPECT_THAT(absent.what(), HasSubstr("a, b"));
}

TEST_F(OciLayoutTest, LayersAreLinkedFromFilesAndVerified) {
  const SealedImage image = seal(image_of({blobs_.add_layer({{"a", "1"}})}));
  OciLayout one = OciLayout::create(path("one"));
  one.write(image, blobs_, "x");
  OciLayout two = OciLayout::create(path("two"));
  two.write(image, one, "x");
  const std::string name = "blobs/sha256/" + image.image.layers[0].blob.hex();
  EXPECT_EQ(fs::hard_link_count(path("two") / name), 2u);
  // The same size, another content: neither linked nor copied.
  fs::remove(path("one") / name);
  write_text_file(path("one") / name, std::string(image.image.layers[0].size, 'x'));
  OciLayout three = OciLayout::create(path("three"));
  EXPECT_EQ(error_of([&] { three.write(image, one, "x"); }).kind(), ErrorKind::verification);
  EXPECT_TRUE(three.index().manifests.empty());
}

TEST_F(OciLayoutTest, AMissingLayerLeavesTheOldImage) {
  const SealedImage first = seal(image_of({blobs_.add_layer({{"a", "1"}})}));
  OciLayout layout = OciLayout::create(path("store"));
  layout.write(first, blobs_, "live");
  MemoryBlobs elsewhere;
  const SealedImage second = seal(image_of({elsewhere.add_layer({{"a", "2"}})}));
  EXPECT_EQ(error_of([&] { layout.write(second, blobs_, "live"); }).kind(), ErrorKind::not_found);
  EXPECT_EQ(layout.read({"live", {}}).manifest_digest, first.manifest_digest);
}

TEST_F(OciLayoutTest, KilledAnywhereItHoldsTheOldImageOrTheNewOne) {
  const SealedImage first = seal(image_of({blobs_.add_layer({{"a", "1"}})}));
  const SealedImage second = seal(image_of({blobs_.add_layer({{"a", "2"}}), blobs_.add_layer({{"b", "2"}})}));
  for (const std::string point : {"layout.after-blob", "layout.after-blob:2", "layout.before-index",
                                  "layout.after-index", "file.before-rename", "file.after-rename:3"}) {
    OciLayout layout = OciLayout::create(path(point));
    layout.write(first, blobs_, "live");
    const pid_t child = ::fork();
    if (child == 0) {
      arm_fail_point(point);
      layout.write(second, blobs_, "live");
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << point;
    const SealedImage found = layout.read({"live", {}});
    EXPECT_TRUE(found.manifest == first.manifest || found.manifest == second.manifest) << point;
    for (const Layer& layer : found.image.layers) EXPECT_NO_THROW(sha256(*open_layer(layout, layer))) << point;
    layout.write(second, blobs_, "live");
    EXPECT_EQ(layout.read({"live", {}}).manifest, second.manifest);
    layout.prune();
    EXPECT_EQ(count_files(path(point) / "blobs/sha256"), 4u) << point;
  }
}

TEST_F(OciLayoutTest, PruneRemovesOnlyWhatNothingNeeds) {
  const Layer base = blobs_.add_layer({{"base", "b"}});
  OciLayout layout = OciLayout::create(path("store"));
  layout.write(seal(image_of({base, blobs_.add_layer({{"a", "1"}})})), blobs_, "live");
  layout.write(seal(image_of({base, blobs_.add_layer({{"a", "2"}})})), blobs_, "live");
  const fs::path folder = path("store/blobs/sha256");
  write_text_file(folder / ".leftover.1.tmp", "half");
  EXPECT_EQ(count_files(folder), 8u);
  const OciLayout::Pruned pruned = layout.prune();
  EXPECT_EQ(pruned.blobs, 4u);  // a layer, a manifest, a configuration, the leftover
  EXPECT_EQ(count_files(folder), 4u);
  const SealedImage kept = layout.read({"live", {}});
  for (const Layer& layer : kept.image.layers) EXPECT_NO_THROW(sha256(*open_layer(layout, layer)));
}

TEST_F(OciLayoutTest, NothingIsPrunedWhileSomebodyReads) {
  const SealedImage first = seal(image_of({blobs_.add_layer({{"a", "1"}})}));
  const SealedImage second = seal(image_of({blobs_.add_layer({{"a", "2"}})}));
  OciLayout writer = OciLayout::create(path("store"));
  writer.write(first, blobs_, "live");
  {
    const OciLayout reader = OciLayout::open(path("store"));
    const SealedImage read = reader.read({"live", {}});
    OciLayout other_writer = OciLayout::create(path("store"));  // readers keep nobody from writing
    other_writer.write(second, blobs_, "live");
    EXPECT_EQ(other_writer.prune().blobs, 0u);
    EXPECT_EQ(writer.prune().blobs, 0u);
    EXPECT_NO_THROW(sha256(*open_layer(reader, read.image.layers[0])));
  }
  EXPECT_EQ(writer.prune().blobs, 3u);
  // After it the lock is shared again.
  OciLayout again = OciLayout::open(path("store"));
  EXPECT_EQ(again.prune().blobs, 0u);
  EXPECT_EQ(again.read({"live", {}}).manifest, second.manifest);
}

TEST_F(OciLayoutTest, ALayoutThatCannotBeWrittenIsRead) {
  const SealedImage image = seal(image_of({blobs_.add_layer({{"a", "1"}})}));
  OciLayout::create(path("store")).write(image, blobs_, "live");
  fs::remove(path("store/.veneer-lock"));  // as other tools make it
  fs::permissions(path("store/oci-layout"), fs::perms::owner_read);
  fs::permissions(path("store"), fs::perms::owner_read | fs::perms::owner_exec);
  const OciLayout layout = OciLayout::open(path("store"));
  EXPECT_EQ(layout.read({"live", {}}).manifest, image.manifest);
  EXPECT_FALSE(fs::exists(path("store/.veneer-lock")));
  fs::permissions(path("store"), fs::perms::owner_all);
}

TEST_F(OciLayoutTest, LinksThatLeadOutsideAreRefused) {
  const SealedImage image = seal(image_of({blobs_.add_layer({{"a", "1"}})}));
  OciLayout layout = OciLayout::create(path("store"));
  layout.write(image, blobs_, "x");
  const fs::path blob = path("store/blobs/sha256") / image.image.layers[0].blob.hex();
  fs::rename(blob, path("outside"));
  fs::create_symlink(path("outside"), blob);
  const Error error = error_of([&] { layout.open(image.image.layers[0].blob); });
  EXPECT_EQ(error.kind(), ErrorKind::refused);
  EXPECT_THAT(error.what(), HasSubstr("leads out of the layout"));
  fs::remove(path("store/index.json"));
  fs::create_symlink("/etc/passwd", path("store/index.json"));
  EXPECT_EQ(error_of([&] { layout.read({}); }).kind(), ErrorKind::refused);
}

TEST_F(OciLayoutTest, FoldersOfOthersAreLeftAlone) {
  write_text_file(path("precious"), "x");
  EXPECT_EQ(error_of([&] { OciLayout::create(folder_.path()); }).kind(), ErrorKind::refused);
  EXPECT_EQ(error_of([&] { OciLayout::open(folder_.path()); }).kind(), ErrorKind::refused);
  EXPECT_EQ(error_of([&] { OciLayout::open(path("absent")); }).kind(), ErrorKind::not_found);
  make_folders(path("empty"));
  EXPECT_NO_THROW(OciLayout::create(path("empty")));
  write_text_file(path("empty/oci-layout"), R"({"imageLayoutVersion":"2.0.0"})");
  EXPECT_THAT(error_of([&] { OciLayout::open(path("empty")); }).what(), HasSubstr("2.0.0"));
}

TEST_F(OciLayoutTest, WhatOthersPutIntoTheIndexStays) {
  OciLayout layout = OciLayout::create(path("store"));
  layout.write(seal(image_of({blobs_.add_layer({{"a", "1"}})})), blobs_, "x");
  Value index = parse_json(read_text_file(path("store/index.json"), 10'000));
  index.set("annotations", Value(Value::Table{{"by", Value("others")}}));
  write_text_file(path("store/index.json"), to_json(index));
  layout.write(seal(image_of({blobs_.add_layer({{"a", "2"}})})), blobs_, "y");
  EXPECT_EQ(layout.index().annotations.at("by"), "others");
  EXPECT_EQ(layout.index().manifests.size(), 2u);
}

}  // namespace
}  // namespace veneer::image
