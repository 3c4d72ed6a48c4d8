#include "image/places/registry_place.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "foundation/error.hh"
#include "foundation/temporary.hh"
#include "image/media/oci_layout.hh"
#include "image/open_layer.hh"
#include "image/places/elsewhere.hh"
#include "tests/support/http_server.hh"
#include "tests/unit/image/stored_layers.hh"

namespace veneer::image {
namespace {

using tests::HttpReply;
using tests::HttpRequest;
using tests::HttpServer;

/// A registry with one image of six layers, each larger than the one before.
class RegistryPlaceTest : public ::testing::Test {
 protected:
  RegistryPlaceTest() {
    std::vector<Layer> layers;
    for (std::size_t i = 0; i < 6; ++i) {
      std::string text;
      while (text.size() < 2000 * (i + 1)) text += sha256(fmt::format("{} {}", i, text.size())).hex();
      layers.push_back(blobs_.add_layer({{"file", text}}));
    }
    image_ = seal(tests::image_of(layers));
    context_.cache = folder_.path() / "cache";
  }

  HttpReply answer(const HttpRequest& request) {
    const std::string name = request.path.substr(request.path.rfind('/') + 1);
    if (request.path == "/v2/") return {};
    if (name == "1" || name == image_.manifest_digest.text()) {
      return {.headers = {{"Content-Type", "application/vnd.oci.image.manifest.v1+json"}}, .body = image_.manifest};
    }
    if (name == image_.config_digest.text()) return {.body = image_.config};
    meet(name);
    const Bytes bytes = read_all(*blobs_.open(BlobDigest::parse(name)), 1 << 20);
    return {.body = std::string(as_text(bytes))};
  }

  /// Answers when `at_once_` layers are asked for.
  void meet(const std::string& name) {
    std::unique_lock lock(mutex_);
    asked_.push_back(name);
    changed_.notify_all();
    const bool met = changed_.wait_for(lock, std::chrono::seconds(10), [&] { return asked_.size() >= at_once_; });
    EXPECT_TRUE(met) << "layers are asked for one by one";
  }

  Reference reference() const { return parse_reference(fmt::format("127.0.0.1:{}/team/app:1", server_.port())); }
  std::vector<std::string> largest(std::size_t count) const {
    std::vector<std::string> digests;
    for (std::size_t i = 0; i < count; ++i) digests.push_back(image_.image.layers[5 - i].blob.text());
    return digests;
  }

  TemporaryFolder folder_{std::filesystem::temp_directory_path(), "registry-place"};
  tests::MemoryBlobs blobs_;
  SealedImage image_;
  PlaceContext context_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> asked_;
  std::size_t at_once_ = 1;
  HttpServer server_{[this](const HttpRequest& request) { return answer(request); }};
};

TEST_F(RegistryPlaceTest, LayersComeSideBySideTheLargestFirst) {
  const OpenedImage opened = registry_place(reference())->read(std::nullopt, context_);
  EXPECT_TRUE(asked_.empty());
  std::set<BlobDigest> all;
  for (const Layer& layer : image_.image.layers) {
    EXPECT_FALSE(opened.blobs->is_here(layer.blob));
    all.insert(layer.blob);
  }
  at_once_ = 4;
  opened.blobs->bring(all);
  EXPECT_THAT(std::vector(asked_.begin(), asked_.begin() + 4), ::testing::UnorderedElementsAreArray(largest(4)));
  for (const BlobDigest& digest : all) EXPECT_TRUE(opened.blobs->is_here(digest));
  opened.blobs->bring(all);
  for (const Layer& layer : image_.image.layers) read_layer(*opened.blobs, layer, [](ByteSource&) {});
  EXPECT_EQ(asked_.size(), 6u) << "each once";
}

TEST_F(RegistryPlaceTest, AStoreMayLeaveLayersThere) {
  const OpenedImage opened = registry_place(reference())->read(std::nullopt, context_);
  context_.store = folder_.path() / "store";
  auto layout = std::make_shared<OciLayout>(OciLayout::create(context_.store));
  const std::vector<Layer> left(opened.sealed.image.layers.begin() + 1, opened.sealed.image.layers.end());
  static_cast<void>(read_all(*opened.blobs->open(opened.sealed.image.layers[0].blob), 1 << 20));
  write_elsewhere(context_.store, opened.name, left);
  layout->write(opened.sealed, *opened.blobs, "app:1", KeptFiles(), OciLayout::Remote::left_out);
  EXPECT_EQ(asked_.size(), 1u);
  EXPECT_TRUE(layout->contains(opened.sealed.image.layers[0].blob));
  EXPECT_FALSE(layout->contains(left[0].blob));

  const auto blobs = blobs_of_store(layout, opened.sealed.image.layers, context_);
  for (const Layer& layer : left) EXPECT_TRUE(blobs->contains(layer.blob));
  read_layer(*blobs, left[2], [](ByteSource&) {});
  EXPECT_EQ(asked_.back(), left[2].blob.text());
  layout->write(opened.sealed, *blobs, "app:1");
  for (const Layer& layer : left) EXPECT_TRUE(layout->contains(layer.blob));
}

}  // namespace
}  // namespace veneer::image
