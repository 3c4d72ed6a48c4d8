#include <gmock/gmock.h>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "image/history.hh"
#include "image/image.hh"
#include "image/parse.hh"
#include "image/validate.hh"

namespace veneer::image {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Layer layer(char digit) {
  return {DiffId{sha256(std::string(1, digit))}, Encoding::gzip, BlobDigest{sha256(std::string(2, digit))}, 100};
}

Value entry(std::string_view created_by) {
  Value value;
  value.set("created_by", created_by);
  return value;
}

Image small_image() {
  Image image;
  image.config.platform.architecture = "amd64";
  image.config.created = "2024-05-01T10:00:00Z";
  image.config.run.set("Cmd", Value::Array{"/bin/sh"});
  image.config.history = {entry("base"), entry("app")};
  image.layers = {layer('1'), layer('2')};
  return image;
}

TEST(Seal, WritesTheSameBytesAlways) {
  const SealedImage sealed = seal(small_image());
  const std::string rows = "[[\\\"" + layer('1').blob.text() + "\\\",100,\\\"gzip\\\"],[\\\"" + layer('2').blob.text() +
                           "\\\",100,\\\"gzip\\\"]]";
  EXPECT_EQ(sealed.config, R"({"created":"2024-05-01T10:00:00Z","architecture":"amd64","os":"linux","config":{"Cmd":)"
                           R"(["/bin/sh"],"Labels":{"dev.veneer.layers":")" +
                               rows + R"("}},"rootfs":{"type":"layers","diff_ids":[")" + layer('1').diff_id.text() +
                               R"(",")" + layer('2').diff_id.text() +
                               R"("]},"history":[{"created_by":"base"},{"created_by":"app"}]})");
  EXPECT_EQ(sealed.config_digest.hash, sha256(sealed.config));
  EXPECT_EQ(sealed.manifest,
            R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":)"
            R"("application/vnd.oci.image.config.v1+json","digest":")" +
                sealed.config_digest.text() + R"(","size":)" + std::to_string(sealed.config.size()) +
                R"(},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":")" +
                layer('1').blob.text() +
                R"(","size":100},{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":")" +
                layer('2').blob.text() + R"(","size":100}]})");
  EXPECT_EQ(seal(small_image()).manifest_digest, sealed.manifest_digest);
  EXPECT_EQ(seal(sealed.image).manifest_digest, sealed.manifest_digest);  // sealing again changes nothing
  EXPECT_THAT(validate_image(sealed.image), IsEmpty());
}

TEST(Seal, TheLabelTellsOfTheLayers) {
  const SealedImage sealed = seal(small_image());
  const std::string label = sealed.image.config.run.at("Labels").at(layers_label).string();
  const auto rows = read_layers_label(label, 2);
  ASSERT_TRUE(rows.has_value());
  EXPECT_EQ(rows->at(1).blob, layer('2').blob);
  EXPECT_EQ(rows->at(1).size, 100u);
  EXPECT_EQ(rows->at(1).encoding, Encoding::gzip);
  EXPECT_EQ(read_layers_label(label, 3), std::nullopt);
}

TEST(Seal, LabelsOfOthersAreNoError) {
  for (const char* label :
       {"", "x", "{}", "[1]", "[[]]", R"([["sha256:1",1,"gzip"]])",
        R"([["sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",-1,"gzip"]])",
        R"([["sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",1,"lzma"]])"}) {
    EXPECT_EQ(read_layers_label(label, 1), std::nullopt) << label;
  }
  Image image = seal(small_image()).image;
  image.layers.push_back(layer('3'));
  image.config.history.push_back(entry("more"));
  EXPECT_THAT(validate_image(image), ElementsAre(HasSubstr("dev.veneer.layers")));
}

TEST(Seal, NullLabelsOfDockerAreReplaced) {
  Image image = small_image();
  image.config.run.set("Labels", Value());
  EXPECT_NO_THROW(seal(image));
}

TEST(Seal, MoreLayersThanEnginesMountAreRefused) {
  Image image = small_image();
  image.layers.resize(125, layer('1'));
  EXPECT_NO_THROW(seal(image));
  image.layers.resize(126, layer('1'));
  EXPECT_THROW(seal(image), Error);
}

std::size_t count_layers(const std::vector<Value>& history) {
  std::size_t count = 0;
  for (const Value& item : history) count += item.boolean_or("empty_layer", false) ? 0 : 1;
  return count;
}

TEST(Seal, Case25HistoryIsMadeConsistent) {
  for (const std::size_t entries : {0u, 1u, 3u}) {
    Image image = small_image();
    image.config.history.assign(entries, entry("x"));
    EXPECT_THAT(validate_image(image), Contains(HasSubstr("uncertain")));
    for (const LayerHistory& history : history_of_layers(image.config.history, 2)) {
      EXPECT_FALSE(history.is_certain);
    }
    const SealedImage sealed = seal(image);
    EXPECT_EQ(count_layers(sealed.image.config.history), 2u);
    EXPECT_TRUE(history_fits(parse_config(sealed.config).config.history, 2));
    EXPECT_THAT(validate_image(sealed.image), IsEmpty());
    for (std::size_t i = 0; i < std::min<std::size_t>(entries, 2); ++i) {
      EXPECT_EQ(sealed.image.config.history[i], entry("x"));  // what fits stays as it is
    }
  }
}

TEST(History, Case52EmptyLayersAreTakenByTheFlagOnly) {
  Value nothing = entry("ENV A=b");
  nothing.set("empty_layer", true);
  const std::vector<Value> history = {entry("FROM"), nothing, entry("WORKDIR, a layer of no bytes"), entry("COPY")};
  const std::vector<LayerHistory> layers = history_of_layers(history, 3);
  EXPECT_EQ(layers[1].created_by, "WORKDIR, a layer of no bytes");
  EXPECT_EQ(layers[2].created_by, "COPY");
  EXPECT_TRUE(layers[2].is_certain);
}

TEST(Seal, Case56BaseHistoryAndDescriptorsStayAsTheyAre) {
  const std::string base_history =
      R"({"created":"2023-01-01T00:00:00.123456789Z","created_by":"/bin/sh -c #(nop) ADD file:abc in / ","x-odd":[1,null]},)"
      R"({"created":"2023-01-02T00:00:00Z","created_by":"CMD [\"sh\"]","empty_layer":true})";
  const std::string base_config = R"({"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[")" +
                                  layer('1').diff_id.text() + R"("]},"history":[)" + base_history + "]}";
  Image image;
  image.config = parse_config(base_config).config;
  image.layers = {layer('1')};
  make_history_consistent(image.config.history, 1);
  image.config.created = "2024-05-01T10:00:00Z";
  image.layers.push_back(layer('2'));
  image.config.history.push_back(entry("app"));
  const SealedImage sealed = seal(image);
  EXPECT_THAT(sealed.config, HasSubstr("\"history\":[" + base_history + ",{\"created_by\":\"app\"}]"));
  EXPECT_THAT(sealed.manifest, HasSubstr(R"("layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip",)"
                                         R"("digest":")" +
                                         layer('1').blob.text() + R"(","size":100},)"));
}

TEST(ChainIds, Case29EqualLayersHaveDifferentChainIds) {
  const std::vector<ChainId> chain = chain_ids({layer('e'), layer('w'), layer('e')});
  ASSERT_EQ(chain.size(), 3u);
  EXPECT_EQ(chain[0].hash, layer('e').diff_id.hash);
  EXPECT_EQ(chain[1].hash, sha256(layer('e').diff_id.text() + " " + layer('w').diff_id.text()));
  EXPECT_NE(chain[2], chain[0]);
}

TEST(ValidateImage, TellsOfDatesThatGetImagesPruned) {
  for (const std::string created : {"", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"}) {
    Image image = seal(small_image()).image;
    image.config.created = created;
    EXPECT_THAT(validate_image(image), ElementsAre(HasSubstr("creation time"))) << created;
  }
}

TEST(ValidateImage, ZstdInAManifestOfDockerIsAFinding) {
  Image image;
  image.config.platform.architecture = "amd64";
  image.config.created = "2024-05-01T10:00:00Z";
  SealedImage sealed = seal(std::move(image));
  const auto manifest = [](const std::string& type) { return R"({"layers":[{"mediaType":")" + type + "\"}]}"; };
  sealed.manifest = manifest("application/vnd.docker.image.rootfs.diff.tar.zstd");
  EXPECT_THAT(validate_image(sealed), ElementsAre(HasSubstr("layer 1 is compressed by zstd")));
  sealed.manifest = manifest("application/vnd.oci.image.layer.v1.tar+zstd");
  EXPECT_THAT(validate_image(sealed), IsEmpty());
}

}  // namespace
}  // namespace veneer::image
