#include "base/image_base.hh"

#include <gtest/gtest.h>

#include "archive/gzip_tar.hh"
#include "foundation/file.hh"
#include "foundation/temporary.hh"
#include "image/open_layer.hh"
#include "image/places/image_names.hh"
#include "tests/support/tar_builder.hh"

namespace veneer::base {
namespace {

using tests::TarBuilder;

/// What `docker save` writes: a layer that is not compressed.
class SavedImage {
 public:
  SavedImage() {
    const std::string diff_id = DiffId{sha256(layer_)}.text();
    const std::string config =
        R"({"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[")" + diff_id +
        R"("]}})";
    write_text_file(folder_.path() / "saved.tar",
                    TarBuilder()
                        .file("1/layer.tar", layer_)
                        .file("config.json", config)
                        .file("manifest.json", R"([{"Config":"config.json","Layers":["1/layer.tar"]}])")
                        .finish());
  }
  Base read(const image::LayerCache* cache) const {
    const auto place = image::read_base_name("docker-archive:saved.tar", folder_.path());
    return read_image_base(*place, {"linux", "amd64", ""}, {}, cache);
  }
  const std::string& layer() const { return layer_; }
  std::filesystem::path cache_folder() const { return folder_.path() / "cache"; }

 private:
  TemporaryFolder folder_{std::filesystem::temp_directory_path(), "test"};
  std::string layer_ = TarBuilder().folder("etc").file("etc/name", std::string(10'000, 'n')).finish();
};

TEST(ImageBase, LayersThatAreNotCompressedAreCompressedOnceForAll) {
  const SavedImage saved;
  MemorySource tar(as_bytes(saved.layer()));
  CountingSink sink;
  const archive::WrittenLayer expected = archive::gzip_tar(tar, sink);
  for (int i = 0; i < 2; ++i) {
    const image::LayerCache cache(saved.cache_folder());
    const Base base = saved.read(&cache);
    ASSERT_EQ(base.layers.size(), 1u);
    EXPECT_EQ(base.layers[0].encoding, image::Encoding::gzip);
    EXPECT_EQ(base.layers[0].blob, expected.blob);
    EXPECT_EQ(base.layers[0].size, expected.blob_size);
    EXPECT_EQ(base.layers[0].diff_id, expected.diff_id);
    EXPECT_TRUE(cache.contains(expected.blob));
    EXPECT_EQ(sha256(*image::open_layer(*base.blobs, base.layers[0])), sha256(saved.layer()));
    EXPECT_EQ(base.tree().find("etc/name")->content->size(), 10'000u);
    EXPECT_EQ(sha256(*base.tree().find("etc/name")->content->open()), sha256(std::string(10'000, 'n')));
  }
  EXPECT_EQ(saved.read(nullptr).layers[0].encoding, image::Encoding::tar);
}

}  // namespace
}  // namespace veneer::base
