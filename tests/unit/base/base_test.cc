#include "base/base.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/image_base.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "image/media/oci_layout.hh"
#include "image/places/image_names.hh"
#include "tree/write_layer.hh"

namespace veneer::base {
namespace {

class BaseTest : public testing::Test {
 protected:
  BaseTest()
      : folder_(std::filesystem::temp_directory_path(), "veneer-base-"),
        cache_(std::make_shared<image::LayerCache>(folder_.path() / "cache")) {}

  /// A layer with one file, kept in the cache.
  image::Layer layer(const std::string& path, const std::string& text) {
    tree::FileTree tree;
    tree.put(path, tree::make_file(std::make_shared<archive::MemoryContent>(text), 0644, 0, 0, 0));
    return cache_->store(LayerKey{sha256(path + text)}, [&](ByteSink& blob) { return tree::write_layer(tree, blob); })
        .layer;
  }
  static std::string text_of(const tree::FileTree& tree, const std::string& path) {
    return std::string(as_text(read_all(*tree.find(path)->content->open(), 1 << 20)));
  }

  TemporaryFolder folder_;
  std::shared_ptr<image::LayerCache> cache_;
};

/// Counts how often a blob is opened.
class CountingBlobs : public image::Blobs {
 public:
  explicit CountingBlobs(const image::Blobs& blobs) : blobs_(blobs) {}
  bool contains(const BlobDigest& digest) const override { return blobs_.contains(digest); }
  std::unique_ptr<ByteSource> open(const BlobDigest& digest) const override {
    ++opened;
    return blobs_.open(digest);
  }
  mutable int opened = 0;

 private:
  const image::Blobs& blobs_;
};

TEST_F(BaseTest, ReadsLayersOnceAndDataWhenAsked) {
  const std::vector<image::Layer> layers = {layer("a/one", "first"), layer("a/two", std::string(100'000, 'z')),
                                            layer("a/one", "second")};
  const auto blobs = std::make_shared<CountingBlobs>(*cache_);
  const tree::FileTree first = read_tree(layers, blobs, cache_.get());
  EXPECT_EQ(blobs->opened, 3);
  const tree::FileTree tree = read_tree(layers, blobs, cache_.get());
  EXPECT_EQ(blobs->opened, 3) << "the list of files is known";
  EXPECT_EQ(tree.size(), 3u);
  EXPECT_EQ(tree.entries().at("a/one").layer, 2u);
  EXPECT_EQ(text_of(tree, "a/one"), "second");
  EXPECT_EQ(text_of(tree, "a/two"), std::string(100'000, 'z'));
  EXPECT_EQ(blobs->opened, 5);
  EXPECT_EQ(text_of(first, "a/one"), "second");
}

TEST_F(BaseTest, VerifiesDiffIds) {
  std::vector<image::Layer> layers = {layer("a", "x")};
  layers[0].diff_id = DiffId{sha256("something else")};
  try {
    read_tree(layers, cache_, nullptr);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::verification);
    EXPECT_THAT(error.what(), testing::HasSubstr("layer 1"));
  }
}

TEST_F(BaseTest, TakesAnImageInALayout) {
  image::Image image;
  image.layers = {layer("usr/bin/python3.12", "x")};
  image.config.platform = {"linux", "amd64", ""};
  image.config.run.set("Env", Value::Array{"PATH=/usr/bin"});
  image::OciLayout layout = image::OciLayout::create(folder_.path() / "layout");
  layout.write(image::seal(image), *cache_, "v1");
  const auto read = [&](const std::string& tag, const std::string& architecture, const image::LayerCache* cache) {
    const auto place = image::read_base_name("oci:" + tag, folder_.path());
    return read_image_base(*place, {"linux", architecture, ""}, {}, cache);
  };
  const Base base = read("layout", "amd64", cache_.get());
  EXPECT_EQ(base.name, "oci:layout");
  EXPECT_EQ(base.layers.size(), 1u);
  EXPECT_EQ(text_of(base.tree(), "usr/bin/python3.12"), "x");
  EXPECT_TRUE(base.blobs->contains(base.layers[0].blob));
  EXPECT_EQ(base.config.run.strings_or_empty("Env").at(0), "PATH=/usr/bin");
  EXPECT_THROW(read("layout:v2", "amd64", nullptr), Error);
  EXPECT_THROW(read("layout:v1", "arm64", nullptr), Error);
  EXPECT_THROW(read("missing:v1", "amd64", nullptr), Error);
}

}  // namespace
}  // namespace veneer::base
