#include "deliver/blob_delivery.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/deliver/made_up_images.hh"

namespace veneer::deliver {
namespace {

using made_up::image_of;
using made_up::layer_of;

constexpr Line line{100'000, 0.1};

Inventory registry_with(const image::SealedImage& image, const std::string& name) {
  Inventory inventory;
  inventory.kind = ReceiverKind::blobs;
  inventory.intake = Intake::blobs;
  inventory.machine = {"linux", "s390x", ""};  // a registry's machine is nobody's business
  KnownImage known;
  known.id = image.manifest_digest.hash;
  known.names = {name};
  known.completeness = Completeness::whole;
  for (const image::Layer& layer : image.image.layers) known.found_blobs.insert(layer.blob);
  known.found_blobs.insert(BlobDigest{image.config_digest.hash});
  inventory.images = {known};
  return inventory;
}

DeliveryOptions named(const std::vector<std::string>& names) {
  DeliveryOptions options;
  for (const std::string& name : names) options.names.push_back(image::parse_reference(name));
  return options;
}

std::vector<Action> actions(const DeliveryPlan& plan) {
  std::vector<Action> result;
  for (const Step& step : plan.steps) result.push_back(step.action);
  return result;
}

TEST(DeliverBlobs, KeepsMountsAndSends) {
  const auto image = image_of({"base", "deps", "found", "app", "app"});
  Inventory inventory = registry_with(image_of({"deps"}), "registry.example/shop:1");
  inventory.blobs = {layer_of("found").blob};
  inventory.mountable = {{layer_of("base").blob, "team/base"}, {layer_of("deps").blob, "team/base"}};
  const auto plan = deliver(image, inventory, line, named({"registry.example/shop:2", "registry.example/shop:latest"}));
  EXPECT_EQ(plan.work, Work::load);
  EXPECT_THAT(actions(plan),
              ::testing::ElementsAre(Action::mount, Action::keep, Action::keep, Action::send, Action::send));
  EXPECT_EQ(plan.steps[0].repository, "team/base");
  EXPECT_EQ(plan.steps[1].why, "registry.example/shop:1 has it");
  EXPECT_EQ(plan.steps[4].bytes, 0U);  // sent once
  EXPECT_EQ(plan.bytes, layer_of("app").size + image.config.size() + 2 * image.manifest.size());
  EXPECT_EQ(plan.round_trips, 4);
}

TEST(DeliverBlobs, ATagThatHasTheImageCostsNothing) {
  const auto image = image_of({"base"});
  const auto inventory = registry_with(image, "registry.example/shop:1");
  const auto same = deliver(image, inventory, line, named({"registry.example/shop:1"}));
  EXPECT_EQ(same.work, Work::nothing_to_load);
  EXPECT_EQ(same.bytes, 0U);
  const auto other = deliver(image, inventory, line, named({"registry.example/shop:2"}));
  EXPECT_EQ(other.work, Work::load);
  EXPECT_EQ(other.bytes, image.manifest.size());
  EXPECT_EQ(other.round_trips, 1);
}

}  // namespace
}  // namespace veneer::deliver
