#include "plan/plan_record.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"

namespace veneer::plan {
namespace {

using testing::ElementsAre;
using testing::Pair;

Component distribution(const std::string& name, const std::string& version) {
  return {name + " " + version, name, ComponentKind::distribution, {sha256(name + version)}, 1};
}

PlanRecord record_with(const std::vector<Component>& distributions, Learned learned = {}) {
  PlanRecord record{.learned = std::move(learned)};
  for (const Component& component : distributions) record.layers.push_back({recorded(component)});
  return record;
}

TEST(PlanRecord, IsReadAsItWasWritten) {
  const PlanRecord record{.layers = {{{"numpy", 1}}, {{"a", 0xfedcba9876543210}, {"b:c", 7}}},
                          .learned = {.sets_seen = 3, .changed = {{"numpy", 2}}}};
  const std::string text = to_text(record);
  EXPECT_EQ(text, R"({"version":1,"layers":[["numpy:0000000000000001"],["a:fedcba9876543210","b:c:0000000000000007"]],)"
                  R"("seen":3,"changed":{"numpy":2}})");
  EXPECT_EQ(read_plan_record(text), record);
  EXPECT_EQ(read_plan_record(to_text({})), PlanRecord{});
}

TEST(PlanRecord, IsSmallEnoughForAnAnnotation) {
  PlanRecord record;
  for (int i = 0; i < 200; ++i) {
    const std::string name = fmt::format("some-distribution-{}", i);
    record.layers.push_back({{name, 0xffffffffffffffff}});
    if (i % 2 == 0) record.learned.changed[name] = 100;
  }
  record.learned.sets_seen = 1000;
  EXPECT_LE(to_text(record).size(), 16u * 1024);
}

TEST(PlanRecord, RefusesWhatNobodyWrites) {
  for (const char* text : {
           "",
           "[]",
           R"({"version":2,"layers":[],"seen":0,"changed":{}})",
           R"({"version":1,"seen":0,"changed":{}})",
           R"({"version":1,"layers":[[]],"seen":0,"changed":{}})",
           R"({"version":1,"layers":[["a:1"]],"seen":0,"changed":{}})",
           R"({"version":1,"layers":[[":0000000000000001"]],"seen":0,"changed":{}})",
           R"({"version":1,"layers":[["a:000000000000000A"]],"seen":0,"changed":{}})",
           R"({"version":1,"layers":[["a:00000000000000-1"]],"seen":0,"changed":{}})",
           R"({"version":1,"layers":[["a:0000000000000001"],["a:0000000000000001"]],"seen":0,"changed":{}})",
           R"({"version":1,"layers":[],"seen":-1,"changed":{}})",
           R"({"version":1,"layers":[],"seen":1,"changed":{"a":2}})",
           R"({"version":1,"layers":[],"seen":10000000,"changed":{}})",
       }) {
    EXPECT_THROW(read_plan_record(text), Error) << text;
  }
  EXPECT_THROW(read_plan_record(std::string(2 << 20, ' ')), Error);
}

TEST(Learned, CountsChangesOfSetsAndOfNames) {
  const std::vector<Component> first = {distribution("a", "1"), distribution("b", "1"), distribution("c", "1")};
  // The same set teaches nothing: a second build of a commit leaves the same record.
  EXPECT_EQ(learn(record_with(first), first), Learned{});
  EXPECT_EQ(learn(record_with(first, {.sets_seen = 4, .changed = {{"a", 1}}}), {first[2], first[0], first[1]}),
            (Learned{.sets_seen = 4, .changed = {{"a", 1}}}));
  // b changed, c went, d came; of c nothing is kept.
  const Learned learned = learn(record_with(first, {.sets_seen = 4, .changed = {{"a", 1}, {"b", 1}, {"c", 4}}}),
                                {first[0], distribution("b", "2"), distribution("d", "1")});
  EXPECT_EQ(learned.sets_seen, 5u);
  EXPECT_THAT(learned.changed, ElementsAre(Pair("a", 1u), Pair("b", 2u)));
}

}  // namespace
}  // namespace veneer::plan
