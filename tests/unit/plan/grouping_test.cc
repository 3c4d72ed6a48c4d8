#include "plan/grouping.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "foundation/error.hh"

namespace veneer::plan {
namespace {

using testing::ElementsAre;

Component distribution(const std::string& name, std::uint64_t size, const std::string& version = "1") {
  return {name + " " + version, name, ComponentKind::distribution, {sha256(name + version)}, size};
}

using Named = std::vector<std::vector<std::string>>;

Named named(const std::vector<LayerGroup>& layers, const std::vector<Component>& distributions) {
  Named result;
  for (const LayerGroup& layer : layers) {
    auto& names = result.emplace_back();
    for (const std::size_t member : layer.members) names.push_back(distributions[member].id);
  }
  return result;
}

/// The layers of a first set, then of a second one.
struct TwoPlans {
  Named first;
  Named second;
  std::vector<bool> is_kept;
};

TwoPlans plan_twice(const std::vector<Component>& before, const std::vector<Component>& after, std::size_t cap,
                    const std::vector<Overlap>& overlaps = {}) {
  const auto first = group_distributions(before, {}, {}, cap);
  const PlanRecord record = record_of(first, before, {});
  const auto second = group_distributions(after, overlaps, record, cap);
  TwoPlans plans{named(first, before), named(second, after), {}};
  for (const LayerGroup& layer : second) plans.is_kept.push_back(layer.is_kept);
  return plans;
}

TEST(Grouping, GivesEachItsOwnLayerWhereTheyFit) {
  const std::vector<Component> set = {distribution("b", 5), distribution("a", 900), distribution("c", 70)};
  EXPECT_EQ(named(group_distributions(set, {}, {}, 60), set), (Named{{"a 1"}, {"c 1"}, {"b 1"}}));
  EXPECT_TRUE(group_distributions({}, {}, {}, 0).empty());
  EXPECT_THROW(group_distributions(set, {}, {}, 0), Error);
}

TEST(Grouping, MergesTheSmallAndLeavesLayersFreeForWhatComes) {
  std::vector<Component> set;
  for (int i = 0; i < 40; ++i) set.push_back(distribution(fmt::format("d{:02}", i), 1000u << (i / 3)));
  EXPECT_EQ(group_distributions(set, {}, {}, 20).size(), 17u);
  EXPECT_EQ(group_distributions(set, {}, {}, 1).size(), 1u);
  EXPECT_EQ(group_distributions(set, {}, {}, 40).size(), 34u);
  EXPECT_EQ(group_distributions(set, {}, {}, 48).size(), 40u);
  // The largest lies alone.
  EXPECT_EQ(named(group_distributions(set, {}, {}, 20), set).front(), (std::vector<std::string>{"d39 1"}));
}

TEST(Grouping, KeepsLayersWhoseMembersAreAsTheyWere) {
  const std::vector<Component> before = {distribution("a", 4'000), distribution("b", 3'000), distribution("c", 2'000)};
  // One changed: it alone travels, and nothing below it moves.
  std::vector<Component> after = before;
  after[1] = distribution("b", 3'000, "2");
  TwoPlans plans = plan_twice(before, after, 10);
  EXPECT_EQ(plans.second, (Named{{"a 1"}, {"c 1"}, {"b 2"}}));  // b changes more often, as far as one has seen
  EXPECT_THAT(plans.is_kept, ElementsAre(true, true, false));
  // One more goes on top.
  after = before;
  after.push_back(distribution("huge", 1'000'000));
  plans = plan_twice(before, after, 10);
  EXPECT_EQ(plans.second, (Named{{"a 1"}, {"b 1"}, {"c 1"}, {"huge 1"}}));
  // One less: what lay above it moves for those who reuse a prefix, and nothing travels for the others.
  after = {before[0], before[2]};
  plans = plan_twice(before, after, 10);
  EXPECT_THAT(plans.is_kept, ElementsAre(true, true));
  // Nothing changed.
  plans = plan_twice(before, before, 10);
  EXPECT_EQ(plans.first, plans.second);
  EXPECT_THAT(plans.is_kept, ElementsAre(true, true, true));
}

TEST(Grouping, BreaksALayerWhenOneOfItsMembersChanged) {
  std::vector<Component> before;
  for (int i = 0; i < 30; ++i) before.push_back(distribution(fmt::format("d{:02}", i), 1'000 + i));
  std::vector<Component> after = before;
  after[0] = distribution("d00", 1'000, "2");
  const TwoPlans plans = plan_twice(before, after, 10);
  EXPECT_LE(plans.second.size(), 10u);
  EXPECT_EQ(std::count(plans.is_kept.begin(), plans.is_kept.end(), true), 8);
}

TEST(Grouping, FitsIntoFewerLayersThanBefore) {
  std::vector<Component> set;
  for (int i = 0; i < 30; ++i) set.push_back(distribution(fmt::format("d{:02}", i), 1'000u << (i / 3)));
  const PlanRecord record = record_of(group_distributions(set, {}, {}, 60), set, {});
  for (const std::size_t cap : {29u, 10u, 2u, 1u}) {
    const auto layers = group_distributions(set, {}, record, cap);
    EXPECT_LE(layers.size(), cap);
    EXPECT_EQ(std::count_if(layers.begin(), layers.end(), [](const LayerGroup& layer) { return layer.is_kept; }),
              static_cast<std::ptrdiff_t>(cap) - 1);
  }
}

TEST(Grouping, PutsTheWinnerOfAnOverlapAboveTheLoser) {
  std::vector<Component> set = {distribution("a", 2'000), distribution("b", 3'000), distribution("c", 4'000)};
  EXPECT_EQ(named(group_distributions(set, {}, {}, 10), set), (Named{{"c 1"}, {"b 1"}, {"a 1"}}));
  const std::vector<Overlap> overlaps = {{"a 1", "c 1", "bin/x"}, {"a 1", "gone 1", "bin/x"}};
  EXPECT_EQ(named(group_distributions(set, overlaps, {}, 10), set), (Named{{"b 1"}, {"a 1"}, {"c 1"}}));
  // One bump moves nothing else.
  std::vector<Component> after = set;
  after[2] = distribution("c", 4'100, "2");
  const PlanRecord record = record_of(group_distributions(set, overlaps, {}, 10), set, {});
  const auto layers = group_distributions(after, {{"a 1", "c 2", "bin/x"}}, record, 10);
  EXPECT_EQ(named(layers, after), (Named{{"b 1"}, {"a 1"}, {"c 2"}}));
  EXPECT_TRUE(layers[0].is_kept && layers[1].is_kept && !layers[2].is_kept);
  // A winner that lay below what is new moves up.
  set.push_back(distribution("aa", 9'000));
  EXPECT_EQ(named(group_distributions(set, {{"aa 1", "b 1", "bin/x"}}, record, 10), set),
            (Named{{"aa 1"}, {"c 1"}, {"b 1"}, {"a 1"}}));
}

TEST(Grouping, PutsIntoOneLayerWhatNoOrderSatisfies) {
  // In two layers "a" lies with "d", and "b" with "c": each layer has a winner over the other.
  const std::vector<Component> set = {distribution("a", 9'000), distribution("b", 2'000), distribution("c", 1'900),
                                      distribution("d", 8'900)};
  EXPECT_EQ(named(group_distributions(set, {}, {}, 2), set), (Named{{"a 1", "d 1"}, {"b 1", "c 1"}}));
  const std::vector<Overlap> overlaps = {{"a 1", "c 1", "bin/x"}, {"b 1", "d 1", "bin/y"}};
  const auto layers = group_distributions(set, overlaps, {}, 2);
  EXPECT_EQ(named(layers, set), (Named{{"a 1", "b 1", "c 1", "d 1"}}));
  EXPECT_TRUE(group_distributions(set, overlaps, record_of(layers, set, {}), 2)[0].is_kept);
}

TEST(Grouping, PutsIntoOneLayerWhatWantsIt) {
  const std::vector<Component> set = {distribution("a", 4'000), distribution("b", 3'000), distribution("c", 2'000)};
  const std::vector<Overlap> overlaps = {{"a 1", "c 1", "x.py", true}};
  EXPECT_EQ(named(group_distributions(set, overlaps, {}, 10), set), (Named{{"a 1", "c 1"}, {"b 1"}}));
  // Also when the image before had them apart, or one of them changes.
  EXPECT_EQ(plan_twice(set, set, 10, overlaps).second, (Named{{"a 1", "c 1"}, {"b 1"}}));
  std::vector<Component> after = set;
  after[2] = distribution("c", 2'500, "2");
  EXPECT_EQ(plan_twice(set, after, 10, {{"a 1", "c 2", "x.py", true}}).second.size(), 2u);
}

TEST(Grouping, TakesAHostileRecordForNoMoreThanItSays) {
  const std::vector<Component> set = {distribution("a", 4'000), distribution("b", 3'000)};
  const RecordedMember a = recorded(set[0]);
  const RecordedMember b = recorded(set[1]);
  PlanRecord record;
  record.layers = {{}, {a}, {a, b}, {b, {"b", 1}}, {{"gone", 7}}};
  record.learned = {.sets_seen = 3, .changed = {{"a", 9'000'000}}};
  const auto layers = group_distributions(set, {}, record, 10);
  EXPECT_EQ(named(layers, set), (Named{{"b 1"}, {"a 1"}}));
  EXPECT_FALSE(layers[0].is_kept);
  EXPECT_TRUE(layers[1].is_kept);
}

TEST(Grouping, CountsSizesOfAnyoneWithoutOverflow) {
  std::vector<Component> set;
  for (int i = 0; i < 1'500; ++i) set.push_back(distribution(fmt::format("d{}", i), ~std::uint64_t{0} - i));
  const auto layers = group_distributions(set, {}, {}, 60);
  EXPECT_EQ(layers.size(), 51u);
}

TEST(Grouping, PlansOneAndTheWholeSetAnew) {
  const std::vector<Component> one = {distribution("a", 5)};
  EXPECT_EQ(named(group_distributions(one, {}, {}, 1), one), (Named{{"a 1"}}));
  // Another Python: each key is another one, and the plan is as good as a first one.
  std::vector<Component> before;
  std::vector<Component> after;
  for (int i = 0; i < 100; ++i) {
    before.push_back(distribution(fmt::format("d{:02}", i), 1'000u << (i / 9)));
    after.push_back(distribution(before.back().name, before.back().size, "2"));
  }
  const TwoPlans plans = plan_twice(before, after, 40);
  EXPECT_LE(plans.second.size(), 40u);
  EXPECT_EQ(std::count(plans.is_kept.begin(), plans.is_kept.end(), true), 0);
}

TEST(Grouping, LeavesTheOthersAloneWhenOneAlternates) {
  std::vector<Component> set;
  for (int i = 0; i < 80; ++i) set.push_back(distribution(fmt::format("d{:02}", i), 1'000u << (i / 9)));
  PlanRecord record = record_of(group_distributions(set, {}, {}, 40), set, {});
  for (int deploy = 0; deploy < 10; ++deploy) {
    set[33] = distribution("d33", set[33].size, deploy % 2 == 0 ? "2" : "1");
    const auto layers = group_distributions(set, {}, record, 40);
    EXPECT_LE(layers.size(), 40u);
    std::size_t fresh = 0;
    for (const LayerGroup& layer : layers) fresh += layer.is_kept ? 0 : 1;
    EXPECT_LE(fresh, deploy == 0 ? 4u : 1u);  // then it lies alone
    record = record_of(layers, set, record);
  }
  EXPECT_EQ(record.learned.changed.at("d33"), 10u);
}

/// uv's conflicts: two versions of one name, of which a target has one; a plan takes them for two all the same.
TEST(Grouping, TakesTwoOfOneNameForTwo) {
  const std::vector<Component> set = {distribution("a", 5'000), distribution("a", 4'000, "2"),
                                      distribution("b", 3'000)};
  const auto layers = group_distributions(set, {}, {}, 2);
  EXPECT_EQ(layers.size(), 2u);
  const PlanRecord record = read_plan_record(to_text(record_of(layers, set, {})));
  for (const LayerGroup& layer : group_distributions(set, {}, record, 2)) EXPECT_TRUE(layer.is_kept);
  EXPECT_EQ(learn(record, set), Learned{});
}

TEST(Grouping, FollowsAPlanOfManyDistributions) {
  std::mt19937 random(507);  // NOLINT: the same set each time
  std::vector<Component> set;
  for (int i = 0; i < 507; ++i) set.push_back(distribution(fmt::format("d{:03}", i), 1 + random() % 50'000'000));
  const PlanRecord record = record_of(group_distributions(set, {}, {}, 100), set, {});
  for (const std::size_t changed : {3u, 99u, 256u}) set[changed] = distribution(set[changed].name, 7'000'000, "2");
  const auto layers = group_distributions(set, {}, record, 100);
  EXPECT_LE(layers.size(), 100u);
  EXPECT_GE(std::count_if(layers.begin(), layers.end(), [](const LayerGroup& layer) { return layer.is_kept; }), 70);
}

/// Between every sixth and the one three behind it; whoever is called later wins.
std::vector<Overlap> some_overlaps(const std::vector<Component>& set) {
  std::map<std::string, std::string> ids;
  for (const Component& component : set) ids[component.name] = component.id;
  std::vector<Overlap> overlaps;
  for (int i = 0; i < 60; i += 6) {
    const auto below = ids.find(fmt::format("d{:02}", i));
    const auto above = ids.find(fmt::format("d{:02}", i + 3));
    if (below != ids.end() && above != ids.end()) {
      overlaps.push_back({below->second, above->second, "README", i == 30});
    }
  }
  return overlaps;
}

std::set<std::string> ids_of(const std::vector<Component>& set) {
  std::set<std::string> ids;
  for (const Component& component : set) ids.insert(component.id);
  return ids;
}

/// Any history: each distribution lies in one layer, the cap holds, what is kept is kept to the bit, the order in which
/// the distributions come does not matter, winners of overlaps lie above losers, and nothing costs more than one layer
/// would.
TEST(Grouping, HoldsItsPromisesForRandomHistories) {
  std::mt19937 random(20261127);  // NOLINT: the same histories each time
  for (int history = 0; history < 40; ++history) {
    const std::size_t cap = 1 + random() % 30;
    std::vector<Component> set;
    for (int i = 0; i < 60; ++i) set.push_back(distribution(fmt::format("d{:02}", i), 1 + random() % 5'000'000));
    std::optional<PlanRecord> record;
    std::vector<Component> before;
    for (int deploy = 0; deploy < 12; ++deploy) {
      const std::vector<Overlap> overlaps = some_overlaps(set);
      const auto layers = group_distributions(set, overlaps, record, cap);
      ASSERT_LE(layers.size(), cap);
      std::multiset<std::size_t> placed;
      std::uint64_t travelling = 0;
      std::uint64_t all = 0;
      for (const LayerGroup& layer : layers) {
        std::vector<RecordedMember> members;
        for (const std::size_t member : layer.members) {
          placed.insert(member);
          members.push_back(recorded(set[member]));
          all += set[member].size;
          if (!layer.is_kept) travelling += set[member].size;
        }
        ASSERT_TRUE(std::is_sorted(members.begin(), members.end()));
        if (record) {
          ASSERT_EQ(layer.is_kept,
                    std::find(record->layers.begin(), record->layers.end(), members) != record->layers.end());
        }
      }
      ASSERT_EQ(placed.size(), set.size());
      ASSERT_EQ(std::set<std::size_t>(placed.begin(), placed.end()).size(), set.size());
      // Never worse than one layer, which travels whole whenever anything changed, and else not at all.
      ASSERT_LE(travelling, record && ids_of(set) == ids_of(before) ? 0 : all);

      std::map<std::string, std::size_t> position;
      for (const auto& layer : named(layers, set)) {
        for (const std::string& id : layer) position.emplace(id, position.size());
      }
      for (const Overlap& overlap : overlaps) ASSERT_LT(position.at(overlap.below), position.at(overlap.above));

      std::vector<Component> shuffled = set;
      std::shuffle(shuffled.begin(), shuffled.end(), random);
      ASSERT_EQ(named(layers, set), named(group_distributions(shuffled, overlaps, record, cap), shuffled));

      record = read_plan_record(to_text(record_of(layers, set, record)));
      before = set;
      const std::string version = fmt::format("{}", deploy + 2);
      for (std::size_t change = random() % 4; change > 0; --change) {
        Component& changed = set[random() % set.size()];
        changed = distribution(changed.name, changed.size + random() % 1000, version);
      }
      if (random() % 3 == 0) set.erase(set.begin() + static_cast<std::ptrdiff_t>(random() % set.size()));
      if (random() % 3 == 0) set.push_back(distribution(fmt::format("n{}", deploy), 1 + random() % 5'000'000));
    }
  }
}

}  // namespace
}  // namespace veneer::plan
