#include "image/parse.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "foundation/error.hh"
#include "image/platform.hh"
#include "tests/support/errors.hh"

namespace veneer::image {
namespace {

using ::testing::HasSubstr;
using tests::refusal;

const std::string a64(64, 'a');

std::string descriptor(std::string_view type, std::string_view size = "10", std::string_view more = "") {
  return fmt::format(R"({{"mediaType":"{}","digest":"sha256:{}","size":{}{}}})", type, a64, size, more);
}
const std::string config = descriptor("application/vnd.oci.image.config.v1+json");
const std::string layer = descriptor("application/vnd.oci.image.layer.v1.tar+gzip");

std::string manifest(std::string_view layers, std::string_view more = "") {
  return fmt::format(R"({{"schemaVersion":2,"config":{},"layers":[{}]{}}})", config, layers, more);
}

TEST(ParseManifest, ReadsBothFamilies) {
  const Manifest oci = parse_manifest(manifest(layer, R"(,"annotations":{"k":"v"})"));
  EXPECT_EQ(oci.layers.size(), 1u);
  EXPECT_EQ(oci.layers[0].size, 10u);
  EXPECT_EQ(oci.annotations.at("k"), "v");
  const std::string docker = fmt::format(
      R"({{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{},"layers":[{}]}})",
      descriptor("application/vnd.docker.container.image.v1+json"),
      descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip"));
  EXPECT_EQ(parse_manifest(docker, "application/vnd.docker.distribution.manifest.v2+json").layers.size(), 1u);
}

TEST(ParseManifest, RefusesWhatIsAmbiguousOrUnknown) {
  const auto read = [](const std::string& text) { return [text] { parse_manifest(text); }; };
  // CVE-2021-41190
  EXPECT_THAT(refusal(read(manifest(layer, R"(,"manifests":[])"))), HasSubstr("a manifest and an index at once"));
  EXPECT_THAT(refusal(read(manifest(layer, R"(,"mediaType":"application/vnd.oci.image.index.v1+json")"))),
              HasSubstr("media type"));
  EXPECT_THAT(refusal([] {
                parse_manifest(manifest(layer, R"(,"mediaType":"application/vnd.oci.image.manifest.v1+json")"),
                               "application/vnd.docker.distribution.manifest.v2+json");
              }),
              HasSubstr("was named as"));
  EXPECT_THAT(refusal(read(R"({"schemaVersion":1,"fsLayers":[]})")), HasSubstr("schema version"));
  EXPECT_THAT(refusal(read("[]")), HasSubstr("not an object"));
  EXPECT_THAT(refusal(read(manifest(layer, R"(,"layers":[])"))), HasSubstr("occurs twice"));
  EXPECT_THAT(refusal(read(manifest(descriptor("x", "1.5")))), HasSubstr("whole number"));
  EXPECT_THAT(refusal(read(manifest(descriptor("x", "-1")))), HasSubstr("whole number"));
  EXPECT_THAT(refusal(read(manifest(descriptor("x", "1e3")))), HasSubstr("whole number"));
  EXPECT_THAT(refusal(read(fmt::format(R"({{"schemaVersion":2,"config":{},"layers":[]}})", layer))),
              HasSubstr("not the configuration"));
}

TEST(ParseManifest, Moby48241LayersNamedBySha512AreUnsupportedByName) {
  const std::string text =
      manifest(fmt::format(R"({{"mediaType":"x","digest":"sha512:{}","size":1}})", std::string(128, 'a')));
  EXPECT_THAT(refusal([&] { parse_manifest(text); }), HasSubstr("'sha512' is not supported"));
}

std::string config_json(std::string_view diff_ids, std::string_view more = "") {
  return fmt::format(R"({{"os":"linux","architecture":"amd64","rootfs":{{"type":"layers","diff_ids":[{}]}}{}}})",
                     diff_ids, more);
}
const std::string diff_id = "\"sha256:" + a64 + "\"";

TEST(ParseConfig, KeepsWhatItDoesNotKnow) {
  const ParsedConfig parsed =
      parse_config(config_json(diff_id, R"(,"author":"me","config":{"Cmd":["x"]},"os.version":"1","created":null)"));
  EXPECT_EQ(parsed.config.platform.architecture, "amd64");
  EXPECT_EQ(parsed.config.created, "");
  EXPECT_EQ(parsed.config.other.at("author").string(), "me");
  EXPECT_EQ(parsed.config.other.at("os.version").string(), "1");
  EXPECT_EQ(parsed.config.run.at("Cmd").array().size(), 1u);
  EXPECT_EQ(parsed.diff_ids.size(), 1u);
}

TEST(ParseConfig, RefusesWhatIsNoContainerImage) {
  EXPECT_THAT(refusal([] { parse_config("{}"); }), HasSubstr("no 'rootfs'"));
  EXPECT_THAT(refusal([] { parse_config(R"({"rootfs":{"type":"zip","diff_ids":[]}})"); }), HasSubstr("'zip'"));
  EXPECT_THAT(refusal([] { parse_config(config_json(R"("md5:00")")); }), HasSubstr("md5"));
}

TEST(MakeImage, Case26DiffIdsAreAsManyAsLayers) {
  const Manifest two = parse_manifest(manifest(layer + "," + layer));
  for (const std::string& ids : {std::string(), diff_id, diff_id + "," + diff_id + "," + diff_id}) {
    EXPECT_THAT(refusal([&] { make_image(two, parse_config(config_json(ids))); }), HasSubstr("has 2 layers, but"));
  }
  EXPECT_EQ(make_image(two, parse_config(config_json(diff_id + "," + diff_id))).layers.size(), 2u);
}

TEST(MakeImage, RefusesUnknownLayerTypes) {
  const Manifest odd = parse_manifest(manifest(descriptor("application/x-thing")));
  EXPECT_THAT(refusal([&] { make_image(odd, parse_config(config_json(diff_id))); }),
              HasSubstr("'application/x-thing', which is not supported"));
}

std::string entry(std::string_view platform, char digit, std::string_view more = "") {
  return fmt::format(
      R"({{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:{}","size":1,"platform":{}{}}})",
      std::string(64, digit), platform, more);
}

TEST(Index, Case28PicksThePlatformAndNeverTheFirstForWantOfABetter) {
  const std::string unknown = R"({"os":"unknown","architecture":"unknown"})";
  const std::string empty = R"({"os":"linux","architecture":""})";
  const std::string attestation = R"(,"annotations":{"vnd.docker.reference.type":"attestation-manifest"})";
  const Index index =
      parse_index(fmt::format(R"({{"schemaVersion":2,"manifests":[{},{},{},{},{},{}]}})",
                              entry(R"({"os":"linux","architecture":"amd64"})", '1'), entry(unknown, '2', attestation),
                              entry(empty, '3'), entry(R"({"os":"linux","architecture":"arm64","variant":"v8"})", '4'),
                              entry(unknown, '5', attestation), entry(empty, '6')));
  EXPECT_EQ(index.manifests.size(), 6u);  // all are kept
  EXPECT_EQ(select_entry(index, parse_platform("linux/arm64")).digest.hex(), std::string(64, '4'));
  EXPECT_EQ(select_entry(index, parse_platform("linux/arm64/v8")).digest.hex(), std::string(64, '4'));
  EXPECT_EQ(select_entry(index, parse_platform("linux/amd64")).digest.hex(), std::string(64, '1'));
  std::vector<std::string> kinds;
  for (const Descriptor& descriptor : index.manifests) kinds.push_back(entry_kind(descriptor));
  EXPECT_THAT(kinds, ::testing::ElementsAre("linux/amd64", "attestation", "unknown", "linux/arm64/v8", "attestation",
                                            "unknown"));
  for (const char* absent : {"linux/s390x", "windows/amd64", "linux/arm"}) {
    try {
      select_entry(index, parse_platform(absent));
      ADD_FAILURE() << absent;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::not_found);
      EXPECT_THAT(error.what(), HasSubstr("linux/arm64/v8"));
    }
  }
  EXPECT_THAT(refusal([&] { select_entry(index, std::nullopt); }), HasSubstr("several images"));
}

TEST(Index, VariantsOfArmAreToldApart) {
  const Index index = parse_index(fmt::format(R"({{"schemaVersion":2,"manifests":[{},{}]}})",
                                              entry(R"({"os":"linux","architecture":"arm","variant":"v6"})", '1'),
                                              entry(R"({"os":"linux","architecture":"arm","variant":"v7"})", '2')));
  EXPECT_EQ(select_entry(index, parse_platform("linux/arm/v7")).digest.hex(), std::string(64, '2'));
  EXPECT_THAT(refusal([&] { select_entry(index, parse_platform("linux/arm")); }), HasSubstr("several images"));
}

}  // namespace
}  // namespace veneer::image
