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

TEST(Layout, PutsTheLargestLowestAndTheApplicationOnTop) {
  const LayoutPlan plan = layout(
      {
          distribution("tiny", 10),
          distribution("big", 9'000'000),
          distribution("atom", 20),
          distribution("middle", 500'000),
          {"app", "app", ComponentKind::application, {sha256("app")}, 5},
          {"environment", "environment", ComponentKind::environment, {sha256("env")}, 1},
      },
      {}, {}, {.dependency_layers = 3});
  EXPECT_THAT(titles(plan), ElementsAre("big 1.0", "middle 1.0", "atom 1.0, tiny 1.0", "environment", "app"));
  EXPECT_THAT(plan.layers[2].components, ElementsAre("atom 1.0", "tiny 1.0"));
  EXPECT_EQ(plan.layers[2].size, 30u);
  EXPECT_EQ(plan.record.layers.size(), 3u);
}

TEST(Layout, FollowsTheImageBefore) {
  std::vector<Component> set = {distribution("a", 4'000),
                                distribution("b", 3'000),
                                distribution("c", 2'000),
                                {"app", "app", ComponentKind::application, {sha256("app")}, 5}};
  const LayoutPlan first = layout(set, {}, {}, {});
  set[1] = {"b 2.0", "b", ComponentKind::distribution, {sha256("b 2.0")}, 9'000};
  const LayoutPlan second = layout(set, {}, first.record, {});
  EXPECT_THAT(titles(second), ElementsAre("a 1.0", "b 2.0", "c 1.0", "app"));
  EXPECT_TRUE(second.layers[0].is_kept);
  EXPECT_FALSE(second.layers[1].is_kept);
  EXPECT_TRUE(second.layers[2].is_kept);
  EXPECT_EQ(second.record.learned.sets_seen, 1u);
  // Once more the same set: the same record.
  EXPECT_EQ(layout(set, {}, second.record, {}).record, second.record);
}

TEST(Layout, TakesMoreLayersForMoreThan200Distributions) {
  std::vector<Component> components;
  for (int i = 0; i < 200; ++i) components.push_back(distribution(fmt::format("p{}", i), 1'000'000));
  EXPECT_EQ(layout(components, {}, {}, {}).wanted, 60u);
  components.push_back(distribution("one-more", 1'000'000));
  EXPECT_EQ(layout(components, {}, {}, {}).wanted, 100u);
  EXPECT_EQ(layout(components, {}, {}, {.dependency_layers = 7}).layers.size(), 6u);  // 15 % are left free
  EXPECT_EQ(layout(components, {}, {}, {.base_layers = 60}).held_to, 65u);
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
      {}, {}, {.base_layers = mountable_layers - 5});
  EXPECT_THAT(titles(plan), ElementsAre("big 1.0, large 1.0", "environment", "make z", "make a", "app"));
  EXPECT_EQ(plan.held_to, 1U);
}

TEST(Layout, DependsOnNamesAndSizesNotOnTheOrderOfItsInput) {
  std::vector<Component> components;
  for (int i = 0; i < 90; ++i) components.push_back(distribution(fmt::format("p{}", i), (i % 7) * 100'000));
  const Value expected = to_value(layout(components, {}, {}, {}));
  std::mt19937 random(1);
  for (int round = 0; round < 20; ++round) {
    std::shuffle(components.begin(), components.end(), random);
    EXPECT_EQ(to_value(layout(components, {}, {}, {})), expected);
  }
}

// NixOS/nixpkgs#78744, #80086: packages beyond the layer cap vanished from the image.
TEST(Layout, LosesNothingBeyondTheCap) {
  std::vector<Component> components;
  for (int i = 0; i < 130; ++i) components.push_back(distribution(fmt::format("p{}", i), 1'000'000 + i));
  const LayoutPlan plan = layout(components, {}, {}, {.dependency_layers = 20});
  EXPECT_EQ(plan.layers.size(), 17u);
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
        const LayoutPlan plan = layout(components, {}, {}, {.dependency_layers = cap});
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
  EXPECT_EQ(layout(components, {}, {}, {.base_layers = 63}).layers.size(), 53u);  // 9 of 60 are left free
  EXPECT_EQ(layout(components, {}, {}, {.base_layers = 63}).held_to, std::nullopt);
  EXPECT_EQ(layout(components, {}, {}, {.base_layers = 120}).held_to, 3u);
  for (const std::size_t base : {64, 120, 122}) {
    const LayoutPlan plan = layout(components, {}, {}, {.base_layers = base});
    EXPECT_LE(base + plan.layers.size(), 125u);
    std::size_t count = 0;
    for (const PlannedLayer& layer : plan.layers) count += layer.components.size();
    EXPECT_EQ(count, components.size());
  }
  EXPECT_THROW(layout(components, {}, {}, {.base_layers = 123}), Error);
}

TEST(Layout, KeepsTheWinnerOfAnOverlapAboveTheLoser) {
  const std::vector<Component> components = {distribution("zebra", 9'000'000), distribution("ant", 8'000'000),
                                             distribution("bee", 17'000'000)};
  const LayoutPlan plan = layout(components, {{"ant 1.0", "zebra 1.0", "CHANGES"}}, {}, {});
  EXPECT_THAT(titles(plan), ElementsAre("bee 1.0", "ant 1.0", "zebra 1.0"));
  EXPECT_THAT(titles(layout(components, {{"ant 1.0", "zebra 1.0", "x.py", true}}, {}, {})),
              ElementsAre("bee 1.0", "ant 1.0, zebra 1.0"));
}

TEST(Layout, RefusesTheSameComponentTwice) {
  EXPECT_THROW(layout({distribution("a", 1), distribution("a", 2)}, {}, {}, {}), Error);
}

}  // namespace
}  // namespace veneer::plan
