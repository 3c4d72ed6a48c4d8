#include "plan/layout.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "foundation/error.hh"
#include "foundation/layer_limit.hh"

namespace veneer::plan {
namespace {

using testing::ElementsAre;

Component distribution(const std::string& name, std::uint64_t size) {
  return {name + " 1.0", name, ComponentKind::distribution, {sha256(name)}, size};
}

std::vector<std::string> titles(const LayoutPlan& plan) {
  std::vector<std::string> result;
  for (const PlannedLayer& layer : plan.layers) result.push_back(layer.title);
  return result;
}

TEST(Layout, PutsLargeDistributionsFirstAndTheSmallRestIntoOneLayer) {
  const LayoutPlan plan = layout(
      {
          distribution("tiny", 10),
          distribution("big", 9'000'000),
          distribution("atom", 20),
          distribution("middle", 500'000),
          {"app", "app", ComponentKind::application, {sha256("app")}, 5},
          {"environment", "environment", ComponentKind::environment, {sha256("env")}, 1},
      },
      {}, {});
  EXPECT_THAT(titles(plan), ElementsAre("big 1.0", "middle 1.0", "2 small distributions", "environment", "app"));
  EXPECT_THAT(plan.layers[2].components, ElementsAre("atom 1.0", "tiny 1.0"));
  EXPECT_EQ(plan.layers[2].size, 30u);
}

TEST(Layout, PutsPreparedFilesInTheirOrderBelowTheCode) {
  const LayoutPlan plan = layout(
      {
          {"app", "app", ComponentKind::application, {sha256("app")}, 5},
          {"prepared files 1", "make z", ComponentKind::prepared, {sha256("1")}, 0},
          {"prepared files 2", "make a", ComponentKind::prepared, {sha256("2")}, 0},
          {"environment", "environment", ComponentKind::environment, {sha256("env")}, 1},
          distribution("big", 9'000'000),
          distribution("large", 8'000'000),
      },
      {}, {.base_layers = mountable_layers - 5});
  EXPECT_THAT(titles(plan), ElementsAre("2 small distributions", "environment", "make z", "make a", "app"));
  EXPECT_EQ(plan.held_to, 1U);
}

TEST(Layout, DependsOnNamesAndSizesNotOnTheOrderOfItsInput) {
  std::vector<Component> components;
  for (int i = 0; i < 90; ++i) components.push_back(distribution(fmt::format("p{}", i), (i % 7) * 100'000));
  const Value expected = to_value(layout(components, {}, {}));
  std::mt19937 random(1);
  for (int round = 0; round < 20; ++round) {
    std::shuffle(components.begin(), components.end(), random);
    EXPECT_EQ(to_value(layout(components, {}, {})), expected);
  }
}

// NixOS/nixpkgs#78744, #80086: packages beyond the layer cap vanished from the image.
TEST(Layout, LosesNothingBeyondTheCap) {
  std::vector<Component> components;
  for (int i = 0; i < 130; ++i) components.push_back(distribution(fmt::format("p{}", i), 1'000'000 + i));
  const LayoutPlan plan = layout(components, {}, {.dependency_layers = 20});
  EXPECT_EQ(plan.layers.size(), 20u);
  std::set<std::string> seen;
  for (const PlannedLayer& layer : plan.layers) seen.insert(layer.components.begin(), layer.components.end());
  EXPECT_EQ(seen.size(), 130u);
}

TEST(Layout, NeverMakesMoreDependencyLayersThanTheCap) {
  for (const std::size_t cap : {1, 2, 3, 10}) {
    for (std::size_t large = 0; large < 14; ++large) {
      for (std::size_t small = 0; small < 4; ++small) {
        std::vector<Component> components;
        for (std::size_t i = 0; i < large; ++i) components.push_back(distribution(fmt::format("l{}", i), 1'000'000));
        for (std::size_t i = 0; i < small; ++i) components.push_back(distribution(fmt::format("s{}", i), 10));
        const LayoutPlan plan = layout(components, {}, {.dependency_layers = cap});
        EXPECT_LE(plan.layers.size(), cap) << large << " large, " << small << " small";
        std::size_t count = 0;
        for (const PlannedLayer& layer : plan.layers) count += layer.components.size();
        EXPECT_EQ(count, large + small);
      }
    }
  }
}

TEST(Layout, SharesWhatTheBaseLeaves_case43) {
  std::vector<Component> components;
  for (int i = 0; i < 60; ++i) components.push_back(distribution(fmt::format("p{}", i), 1'000'000 + i));
  components.push_back({"environment", "environment", ComponentKind::environment, {sha256("env")}, 1});
  components.push_back({"app", "app", ComponentKind::application, {sha256("app")}, 5});
  EXPECT_EQ(layout(components, {}, {.base_layers = 63}).layers.size(), 62u);
  EXPECT_EQ(layout(components, {}, {.base_layers = 63}).held_to, std::nullopt);
  EXPECT_EQ(layout(components, {}, {.base_layers = 120}).held_to, 3u);
  for (const std::size_t base : {64, 120, 122}) {
    const LayoutPlan plan = layout(components, {}, {.base_layers = base});
    EXPECT_EQ(base + plan.layers.size(), 125u);
    std::size_t count = 0;
    for (const PlannedLayer& layer : plan.layers) count += layer.components.size();
    EXPECT_EQ(count, components.size());
  }
  EXPECT_THROW(layout(components, {}, {.base_layers = 123}), Error);
}

TEST(Layout, KeepsTheWinnerOfAnOverlapAboveTheLoser) {
  const std::vector<Component> components = {distribution("zebra", 9'000'000), distribution("ant", 8'000'000),
                                             distribution("bee", 7'000'000)};
  const LayoutPlan plan = layout(components, {{"ant 1.0", "zebra 1.0", "CHANGES"}}, {});
  EXPECT_THAT(titles(plan), ElementsAre("ant 1.0", "zebra 1.0", "bee 1.0"));
}

TEST(Layout, ALoserAmongTheSmallOnesDrawsItsWinnerThere) {
  const std::vector<Component> components = {distribution("zebra", 9'000'000), distribution("ant", 80),
                                             distribution("bee", 7'000'000), distribution("cat", 10)};
  const LayoutPlan plan = layout(components, {{"ant 1.0", "zebra 1.0", "CHANGES"}}, {});
  EXPECT_THAT(titles(plan), ElementsAre("bee 1.0", "3 small distributions"));
  EXPECT_THAT(plan.layers[1].components, ElementsAre("ant 1.0", "cat 1.0", "zebra 1.0"));
}

TEST(Layout, RefusesTheSameComponentTwice) {
  EXPECT_THROW(layout({distribution("a", 1), distribution("a", 2)}, {}, {}), Error);
}

}  // namespace
}  // namespace veneer::plan
