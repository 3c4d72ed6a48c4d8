#include "deliver/delivery_plan.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "image/media/archive_writer.hh"
#include "tests/unit/deliver/made_up_images.hh"

namespace veneer::deliver {
namespace {

using made_up::image_of;
using made_up::inventory_of;
using made_up::known;
using made_up::Label;
using made_up::layer_of;
using made_up::Words;

constexpr Line line{125'000, 0.1};

std::vector<Action> actions(const DeliveryPlan& plan) {
  std::vector<Action> result;
  for (const Step& step : plan.steps) result.push_back(step.action);
  return result;
}

constexpr Action keep = Action::keep;
constexpr Action send = Action::send;

TEST(Deliver, KeepsTheLongestPrefixOverAllImages) {
  const auto inventory =
      inventory_of(ReceiverKind::prefix, {known("one:1", {"base", "x"}), known("two:1", {"base", "deps", "old"}),
                                          known("three:1", {"other", "deps", "app"})});
  const auto plan = deliver(image_of({"base", "deps", "app"}), inventory, line);
  EXPECT_EQ(plan.work, Work::load);
  EXPECT_THAT(actions(plan), ::testing::ElementsAre(keep, keep, send));
  EXPECT_THAT(plan.steps[1].why, ::testing::HasSubstr("two:1"));
  EXPECT_THAT(plan.steps[2].why, ::testing::HasSubstr("on other layers"));
}

TEST(Deliver, APrefixStoreGetsEverythingAboveTheFirstChange) {
  const auto inventory = inventory_of(ReceiverKind::prefix, {known("old:1", {"base", "deps", "app"})});
  EXPECT_THAT(actions(deliver(image_of({"new base", "deps", "app"}), inventory, line)), ::testing::Each(send));
}

constexpr Action splice = Action::splice;
constexpr Line unknown_line{0, 0.1};

Inventory that_splices(std::vector<KnownImage> images) {
  Inventory inventory = inventory_of(ReceiverKind::prefix, std::move(images));
  inventory.splicing = Splicing::possible;
  return inventory;
}

// Layers of made-up images have 700 bytes for each letter of their word: these are worth a splice.
const std::string large = "a layer of some size, since a splice is not worth its while for little";
const std::string other_large = "another layer of some size, since a splice is not worth it for little";

TEST(DeliverBySplice, OnlyWhatTheHostLacksTravels) {
  const auto inventory = that_splices({known("old:1", {"base", "deps 1", large, other_large, "app"})});
  const auto plan = deliver(image_of({"base", "deps 2", large, other_large, "app"}), inventory, unknown_line);
  EXPECT_THAT(actions(plan), ::testing::ElementsAre(keep, send, splice, splice, splice));
  EXPECT_EQ(plan.steps[2].source, inventory.images[0].id);
  EXPECT_EQ(plan.steps[2].position, 2U);
  EXPECT_EQ(plan.steps[2].blob.hash, plan.steps[2].diff_id.hash);
  EXPECT_EQ(plan.steps[2].encoding, image::Encoding::tar);
  EXPECT_EQ(plan.steps[2].bytes, 0U);
  EXPECT_THAT(plan.why, ::testing::HasSubstr("reads 3 of them back"));
}

TEST(DeliverBySplice, FewImagesAreReadBack) {
  const auto inventory = that_splices(
      {known("one:1", {"x", large}), known("two:1", {"y", other_large}), known("both:1", {"z", other_large, large})});
  const auto plan = deliver(image_of({large, "new", other_large}), inventory, unknown_line);
  EXPECT_THAT(actions(plan), ::testing::ElementsAre(splice, send, splice));
  EXPECT_EQ(plan.steps[0].source, inventory.images[2].id);
  EXPECT_EQ(plan.steps[0].position, 2U);
  EXPECT_EQ(plan.steps[2].source, inventory.images[2].id);
}

TEST(DeliverBySplice, IsLeftWhereItDoesNotPay) {
  const auto sealed = image_of({"base", "deps 2", large, "app"});
  auto inventory = that_splices({known("old:1", {"base", "deps 1", large, "app"})});
  inventory.images[0].size = 2'000'000'000;
  EXPECT_THAT(actions(deliver(sealed, inventory, unknown_line)), ::testing::Contains(splice));
  EXPECT_THAT(actions(deliver(sealed, inventory, {1e9, 0.001})), ::testing::Not(::testing::Contains(splice)));
  EXPECT_THAT(actions(deliver(sealed, inventory, {100, 0.1})), ::testing::Contains(splice));
  DeliveryOptions options;
  options.splice = SpliceChoice::never;
  EXPECT_THAT(actions(deliver(sealed, inventory, unknown_line, options)), ::testing::Not(::testing::Contains(splice)));
  inventory.free_disk = 1'000'000'000;
  EXPECT_THAT(actions(deliver(sealed, inventory, unknown_line)), ::testing::Not(::testing::Contains(splice)));
  inventory.free_disk.reset();
  inventory.splicing = Splicing::impossible;
  EXPECT_THAT(actions(deliver(sealed, inventory, unknown_line)), ::testing::Not(::testing::Contains(splice)));
  const auto small = that_splices({known("old:1", {"base", "1", "app"})});
  EXPECT_THAT(actions(deliver(image_of({"base", "2", "app"}), small, unknown_line)),
              ::testing::ElementsAre(keep, send, send));
}

TEST(DeliverBySplice, OtherStoresNeedNone) {
  for (const ReceiverKind kind : {ReceiverKind::blobs, ReceiverKind::diff_ids}) {
    auto inventory = inventory_of(kind, {known("old:1", {"base", "deps 1", large})});
    inventory.splicing = Splicing::possible;
    EXPECT_THAT(actions(deliver(image_of({"base", "deps 2", large}), inventory, unknown_line)),
                ::testing::ElementsAre(keep, send, keep));
  }
}

TEST(Deliver, BlobsAreReusedInAnyOrderFromAnyImage) {
  const auto inventory =
      inventory_of(ReceiverKind::blobs, {known("one:1", {"app", "x"}), known("two:1", {"y", "base"})});
  const auto plan = deliver(image_of({"base", "deps", "app"}), inventory, line);
  EXPECT_THAT(actions(plan), ::testing::ElementsAre(keep, send, keep));
}

TEST(Deliver, BlobsAreNotGuessedFromDiffIds) {
  const auto inventory = inventory_of(ReceiverKind::blobs, {known("foreign:1", {"base", "deps"}, Label::absent)});
  const auto plan = deliver(image_of({"base", "deps"}), inventory, line);
  EXPECT_THAT(actions(plan), ::testing::Each(send));
  EXPECT_THAT(plan.steps[0].why, ::testing::HasSubstr("same content in docker.io/library/foreign:1"));
}

TEST(Deliver, ALabelThatDoesNotFitTheLayersIsNoLabel) {
  auto image = known("odd:1", {"base", "deps"});
  image.blobs->pop_back();
  EXPECT_THAT(actions(deliver(image_of({"base"}), inventory_of(ReceiverKind::blobs, {image}), line)),
              ::testing::ElementsAre(send));
}

TEST(Deliver, IncompleteImagesCountForNothing) {
  for (const auto kind : {ReceiverKind::prefix, ReceiverKind::blobs, ReceiverKind::diff_ids}) {
    for (const auto completeness : {Completeness::incomplete, Completeness::unknown}) {
      const auto inventory = inventory_of(kind, {known("half:1", {"base"}, Label::valid, completeness)});
      EXPECT_THAT(actions(deliver(image_of({"base"}), inventory, line)), ::testing::ElementsAre(send));
    }
  }
}

TEST(Deliver, PodmanFindsKeptLayersByDiffIdAndGetsTheOthersAsTheyAre) {
  const auto sealed = image_of({"base", "deps", "app"});
  const auto inventory = inventory_of(ReceiverKind::diff_ids, {known("one:1", {"deps", "base"}, Label::absent)});
  DeliveryOptions options;
  options.tar_sizes[layer_of("deps").diff_id] = 4711;
  const auto plan = deliver(sealed, inventory, line, options);
  EXPECT_THAT(actions(plan), ::testing::ElementsAre(keep, keep, send));
  EXPECT_EQ(plan.steps[0].blob.hash, layer_of("base").diff_id.hash);
  EXPECT_EQ(plan.steps[0].encoding, image::Encoding::tar);
  EXPECT_EQ(plan.steps[1].size, 4711U);
  EXPECT_EQ(plan.steps[2].blob, layer_of("app").blob);
  EXPECT_EQ(plan.steps[2].encoding, image::Encoding::gzip);

  const auto sent = image_as_sent(sealed, plan);
  EXPECT_EQ(sent.config, sealed.config);
  EXPECT_EQ(sent.config_digest, sealed.config_digest);
  EXPECT_EQ(sent.manifest_digest.hash, sha256(sent.manifest));
  const Value manifest = parse_json(sent.manifest);
  const auto& layers = manifest.at("layers").array();
  EXPECT_EQ(layers[0].at("mediaType").string(), "application/vnd.oci.image.layer.v1.tar");
  EXPECT_EQ(layers[0].at("digest").string(), layer_of("base").diff_id.text());
  EXPECT_EQ(layers[1].at("size").integer(), 4711);
  EXPECT_EQ(layers[2].at("digest").string(), layer_of("app").blob.text());
  EXPECT_EQ(manifest.at("config"), parse_json(sealed.manifest).at("config"));
}

TEST(Deliver, DockerGetsTheManifestAsItIs) {
  const auto sealed = image_of({"base", "app"});
  for (const auto kind : {ReceiverKind::prefix, ReceiverKind::blobs}) {
    const auto plan = deliver(sealed, inventory_of(kind, {known("one:1", {"base"})}), line);
    EXPECT_EQ(image_as_sent(sealed, plan).manifest, sealed.manifest);
  }
}

TEST(Deliver, AHostThatKeepsNoAnnotationsGetsNone) {
  auto sealed = image_of({"base", "app"});
  sealed.image.annotations["dev.veneer.plan"] = "large";
  sealed = image::seal(sealed.image);
  for (const auto kind : {ReceiverKind::prefix, ReceiverKind::blobs, ReceiverKind::diff_ids}) {
    const auto sent = image_as_sent(sealed, deliver(sealed, inventory_of(kind, {known("one:1", {"base"})}), line));
    EXPECT_EQ(sent.manifest.find("large") == std::string::npos, kind == ReceiverKind::prefix);
    EXPECT_EQ(sent.manifest_digest.hash, sha256(sent.manifest));
    EXPECT_EQ(sent.config, sealed.config);
  }
}

TEST(Deliver, TheSameImageIsNotLoadedAgain) {
  const auto sealed = image_of({"base", "app"});
  for (const auto kind : {ReceiverKind::prefix, ReceiverKind::blobs, ReceiverKind::diff_ids}) {
    auto there = known("app:1", {"base", "app"});
    there.id = image_id_on(kind, sealed);
    const auto plan = deliver(sealed, inventory_of(kind, {there}), line);
    EXPECT_EQ(plan.work, Work::nothing_to_load);
    EXPECT_EQ(plan.bytes, 0U);
    EXPECT_EQ(plan.disk_peak, 0U);
    EXPECT_THAT(actions(plan), ::testing::Each(keep));

    there.completeness = Completeness::incomplete;
    EXPECT_EQ(deliver(sealed, inventory_of(kind, {there}), line).work, Work::load);
  }
}

TEST(Deliver, TheIdentifierOfAnotherKindOfStoreDoesNotCount) {
  const auto sealed = image_of({"base"});
  auto there = known("app:1", {"other"});
  there.id = sealed.config_digest.hash;
  EXPECT_EQ(deliver(sealed, inventory_of(ReceiverKind::blobs, {there}), line).work, Work::load);
  there.id = sealed.manifest_digest.hash;
  EXPECT_EQ(deliver(sealed, inventory_of(ReceiverKind::prefix, {there}), line).work, Work::load);
}

TEST(Deliver, RefusesAnotherMachine) {
  auto inventory = inventory_of(ReceiverKind::prefix, {});
  inventory.machine.architecture = "arm64";
  try {
    deliver(image_of({"base"}), inventory, line);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    EXPECT_EQ(error.message(), "the image is for linux/amd64, the host is linux/arm64");
  }
}

// CASE 43: more layers load and do not start.
TEST(Deliver, RefusesMoreLayersThanTheEngineStarts) {
  Words words;
  for (int i = 0; i < 126; ++i) words.push_back("layer " + std::to_string(i));
  const auto inventory = inventory_of(ReceiverKind::prefix, {});
  EXPECT_THROW(deliver(image_of(words), inventory, line), Error);
  words.pop_back();
  EXPECT_EQ(deliver(image_of(words), inventory, line).steps.size(), 125U);
}

std::uint64_t archive_size(const image::SealedImage& sealed, const Words& words, const DeliveryPlan& plan,
                           const std::vector<image::Reference>& names) {
  CountingSink sink;
  image::write_archive(sink, image_as_sent(sealed, plan), made_up::LayersInMemory(words), names, blobs_to_send(plan));
  return sink.count();
}

TEST(Deliver, BytesAreThoseOfTheArchive) {
  const Words words{"base", "deps", "a much longer name of a layer", "base", "app"};
  const auto sealed = image_of(words);
  const DeliveryOptions options{{image::parse_reference("demo:veneer-0123456789ab")}, {}};
  for (const auto kind : {ReceiverKind::prefix, ReceiverKind::blobs, ReceiverKind::diff_ids}) {
    for (const auto& there : {Words{}, Words{"base"}, Words{"base", "deps"}, Words{"app"}}) {
      const auto inventory = inventory_of(kind, {known("one:1", there)});
      const auto plan = deliver(sealed, inventory, line, options);
      EXPECT_EQ(plan.bytes, archive_size(sealed, words, plan, options.names));
      const auto whole = deliver_whole(sealed, inventory, line, options, "all of it");
      EXPECT_EQ(whole.bytes, archive_size(sealed, words, whole, options.names));
      EXPECT_LE(plan.bytes, whole.bytes);
    }
  }
}

TEST(Deliver, ABlobThatSeveralLayersShareTravelsOnce) {
  const auto plan = deliver(image_of({"a", "b", "a"}), inventory_of(ReceiverKind::prefix, {}), line);
  EXPECT_GT(plan.steps[0].bytes, 0U);
  EXPECT_EQ(plan.steps[2].action, send);
  EXPECT_EQ(plan.steps[2].bytes, 0U);
  EXPECT_EQ(blobs_to_send(plan).size(), 2U);
}

TEST(Deliver, TheLineDecidesItsSeconds) {
  const auto sealed = image_of({"base"});
  const auto inventory = inventory_of(ReceiverKind::prefix, {});
  const auto slow = deliver(sealed, inventory, {1000, 0.5});
  EXPECT_DOUBLE_EQ(slow.line_seconds, static_cast<double>(slow.bytes) / 1000 + 0.5 * slow.round_trips);
  EXPECT_DOUBLE_EQ(deliver(sealed, inventory, {0, 0}).line_seconds, 0);
}

TEST(Deliver, ASmallDiskIsNoted) {
  auto inventory = inventory_of(ReceiverKind::prefix, {});
  inventory.free_disk = 10;
  EXPECT_THAT(deliver(image_of({"base"}), inventory, line).notes, ::testing::SizeIs(1));
}

TEST(Deliver, TheDocumentHoldsTheWholePlan) {
  const auto inventory = inventory_of(ReceiverKind::prefix, {known("one:1", {"base"})});
  const auto plan = deliver(image_of({"base", "app"}), inventory, line);
  const Value document = to_value(plan);
  EXPECT_EQ(document.at("receiver").string(), "prefix");
  EXPECT_TRUE(document.at("load").boolean());
  EXPECT_EQ(document.at("bytes").integer(), static_cast<std::int64_t>(plan.bytes));
  const auto& steps = document.at("steps").array();
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].at("action").string(), "keep");
  EXPECT_EQ(steps[1].at("action").string(), "send");
  EXPECT_EQ(steps[1].at("encoding").string(), "gzip");
  EXPECT_FALSE(steps[1].at("why").string().empty());
  EXPECT_EQ(parse_json(to_json(document)), document);
}

// What holds for every inventory, tried on many that are made up.
class DeliverProperties : public ::testing::TestWithParam<ReceiverKind> {};

TEST_P(DeliverProperties, KeptAndSentAreTheLayersAndKeptOnesAreThere) {
  std::mt19937 random(20240611);  // NOLINT(cert-msc51-cpp): the same cases every time
  const auto some_words = [&](std::size_t most) {
    Words words(random() % (most + 1));
    for (std::string& word : words) word = std::string(1, static_cast<char>('a' + random() % 6));
    return words;
  };
  for (int round = 0; round < 2000; ++round) {
    const Words words = some_words(6);
    std::vector<KnownImage> images;
    for (std::size_t i = random() % 5; i > 0; --i) {
      images.push_back(known("image" + std::to_string(i) + ":1", some_words(7),
                             random() % 3 == 0 ? Label::absent : Label::valid,
                             random() % 4 == 0 ? Completeness::incomplete : Completeness::whole));
    }
    const auto sealed = image_of(words);
    const auto inventory = inventory_of(GetParam(), images);
    const auto plan = deliver(sealed, inventory, line);
    ASSERT_EQ(plan.steps.size(), words.size());

    std::size_t longest = 0;
    std::set<DiffId> contents;
    std::set<BlobDigest> blobs;
    for (const KnownImage& image : images) {
      if (image.completeness != Completeness::whole) continue;
      std::size_t length = 0;
      while (length < words.size() && length < image.diff_ids.size() &&
             image.diff_ids[length] == layer_of(words[length]).diff_id) {
        ++length;
      }
      longest = std::max(longest, length);
      contents.insert(image.diff_ids.begin(), image.diff_ids.end());
      if (image.blobs) {
        for (const auto& layer : *image.blobs) blobs.insert(layer.blob);
      }
    }
    for (std::size_t i = 0; i < words.size(); ++i) {
      const image::Layer layer = layer_of(words[i]);
      const Step& step = plan.steps[i];
      EXPECT_EQ(step.diff_id, layer.diff_id);
      EXPECT_FALSE(step.why.empty());
      const bool there = GetParam() == ReceiverKind::prefix  ? i < longest
                         : GetParam() == ReceiverKind::blobs ? blobs.contains(layer.blob)
                                                             : contents.contains(layer.diff_id);
      EXPECT_EQ(step.action, there ? keep : send);
      if (step.action == send) {
        EXPECT_EQ(step.blob, layer.blob);
      }
    }
    EXPECT_LE(plan.bytes, deliver_whole(sealed, inventory, line, {}, "all").bytes);
    EXPECT_GT(plan.bytes, 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(EveryKind, DeliverProperties,
                         ::testing::Values(ReceiverKind::prefix, ReceiverKind::blobs, ReceiverKind::diff_ids),
                         [](const auto& information) { return std::string(receiver_kind_name(information.param)); });

}  // namespace
}  // namespace veneer::deliver
