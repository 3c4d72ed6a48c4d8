#include "inspect/merged_tree.hh"

#include <gmock/gmock.h>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "inspect/layer_contents.hh"
#include "tests/support/errors.hh"
#include "tests/support/tar_builder.hh"
#include "tests/unit/image/stored_layers.hh"

namespace veneer::inspect {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tests::error_of;
using tests::image_of;
using tests::MemoryBlobs;
using tests::TarBuilder;

/// Adds a layer that is stored uncompressed.
image::Layer add_tar(MemoryBlobs& blobs, const TarBuilder& tar) {
  const std::string text = tar.finish();
  const Hash hash = sha256(text);
  blobs.add({hash}, Bytes(as_bytes(text).begin(), as_bytes(text).end()));
  return {DiffId{hash}, image::Encoding::tar, BlobDigest{hash}, text.size()};
}

TEST(MergeLayers, Case29ALayerMayOccurTwice) {
  MemoryBlobs blobs;
  const image::Layer e = blobs.add_layer({{"e", "content"}});
  const image::Layer w = blobs.add_layer({{".wh.e", ""}});
  EXPECT_THAT(tree_lines(merge_layers(image_of({e, w}), blobs).tree), ElementsAre());
  const MergedTree merged = merge_layers(image_of({e, w, e}), blobs);
  EXPECT_THAT(tree_lines(merged.tree), ElementsAre("e"));
  EXPECT_EQ(merged.tree.entries().at("e").layer, 2u);
  EXPECT_EQ(merged.layers.size(), 3u);
}

TEST(MergeLayers, VerifiesBlobsSizesAndDiffIds) {
  MemoryBlobs blobs;
  const image::Layer good = blobs.add_layer({{"a", "1"}});
  image::Layer wrong = good;
  wrong.diff_id = {sha256("another")};
  const Error diff_id = error_of([&] { merge_layers(image_of({good, wrong}), blobs); });
  EXPECT_EQ(diff_id.kind(), ErrorKind::verification);
  EXPECT_THAT(diff_id.what(), HasSubstr("layer 2"));
  for (const std::uint64_t size : {good.size - 1, good.size + 1, std::uint64_t{0}}) {
    wrong = good;
    wrong.size = size;
    EXPECT_EQ(error_of([&] { merge_layers(image_of({wrong}), blobs); }).kind(), ErrorKind::verification);
  }
  EXPECT_EQ(error_of([&] { merge_layers(image_of({good}), MemoryBlobs()); }).kind(), ErrorKind::not_found);
}

TEST(TreeToJson, HasTheDocumentedForm) {
  MemoryBlobs blobs;
  const image::Layer base = add_tar(blobs, TarBuilder()
                                               .folder("bin")
                                               .file("bin/sh", "#!", 04755)
                                               .hard_link("bin/zsh", "bin/sh")
                                               .symlink("sh", "bin/sh")
                                               .device("null", 1, 3));
  const image::Layer top = add_tar(blobs, TarBuilder().file("\xff", "").hard_link("late", "bin/sh"));
  const MergedTree merged = merge_layers(image_of({base, top}), blobs);
  const std::string hash = sha256("#!").hex();
  EXPECT_EQ(
      tree_to_json(merged.tree),
      R"({"entries":[{"path":"bin","type":"folder","mode":"0755","uid":0,"gid":0,"layer":0},)"
      R"({"path":"bin/sh","type":"file","mode":"4755","uid":0,"gid":0,"size":2,"sha256":")" +
          hash +
          R"(","layer":0},)"
          R"({"path":"bin/zsh","type":"file","mode":"4755","uid":0,"gid":0,"size":2,"sha256":")" +
          hash +
          R"(","hard_link":"bin/sh","layer":0},)"
          R"({"path":"late","type":"file","mode":"4755","uid":0,"gid":0,"size":2,"sha256":")" +
          hash +
          R"(","hard_link":"bin/sh","layer":1},)"
          R"({"path":"null","type":"character_device","mode":"0644","uid":0,"gid":0,"device":[1,3],"layer":0},)"
          R"({"path":"sh","type":"symlink","mode":"0777","uid":0,"gid":0,"link":"bin/sh","layer":0},)"
          R"({"path":"\\xff","path_escaped":true,"type":"file","mode":"0644","uid":0,"gid":0,"size":0,"sha256":")" +
          sha256("").hex() + "\",\"layer\":1}]}\n");
  EXPECT_THAT(tree_lines(merged.tree),
              ElementsAre("bin/", "bin/sh", "bin/zsh => bin/sh", "late", "null", "sh -> bin/sh", "\\xff"));
}

TEST(Summary, TellsWhatIsInEachLayer) {
  MemoryBlobs blobs;
  image::Image image = image_of({add_tar(blobs, TarBuilder().folder("d").file("d/small", "12").file("d/big", "12345")),
                                 add_tar(blobs, TarBuilder().file("d/.wh.big", ""))});
  Value first;
  first.set("created_by", "wheel numpy 2.1.0");
  image.config.history = {first};
  const MergedTree merged = merge_layers(image, blobs);
  std::vector<LayerSummary> layers = summarize_layers(image, &merged);
  ASSERT_EQ(layers.size(), 2u);
  EXPECT_EQ(layers[0].made_by, "wheel numpy 2.1.0");
  EXPECT_FALSE(layers[0].made_by_is_certain);  // One entry for two layers
  EXPECT_EQ(layers[0].facts->tar_size, image.layers[0].size);
  EXPECT_EQ(layers[0].facts->biggest.at(0).path, "d/big");
  EXPECT_EQ(layers[1].facts->counts.whiteouts, 1u);
  EXPECT_EQ(layers[1].made_by, "");

  const image::SealedImage sealed = image::seal(image);
  layers = summarize_layers(sealed.image, nullptr);
  EXPECT_TRUE(layers[0].made_by_is_certain);
  EXPECT_FALSE(layers[0].facts.has_value());
  EXPECT_THAT(summary_to_text(layers), HasSubstr("wheel numpy 2.1.0"));
  const Value json = parse_json(summary_to_json(sealed, layers));
  EXPECT_EQ(json.at("layers").array().at(0).at("made_by").string(), "wheel numpy 2.1.0");
  EXPECT_EQ(json.at("manifest").string(), sealed.manifest_digest.text());
}

}  // namespace
}  // namespace veneer::inspect
