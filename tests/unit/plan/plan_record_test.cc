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
  const RecordedMember numpy{"numpy", 1};
  const PlanRecord record{
      .target = {"sha256:00", "x86_64", "glibc-2.36", "3.11.2", "/usr/bin/python3.11"},
      .below = 2,
      .layers = {{numpy}, {{"a", 0xfedcba9876543210}, {"b", 7}}},
      .above = {0xfedcba9876543211, 2},
      .facts = {{numpy, {.wheel = "0123abcd", .places = {"numpy.libs", "bin/f2py"}, .libraries = {"libstdc++.so.6"}}},
                {{"b", 7}, {}}},
      .learned = {.sets_seen = 3, .changed = {{"numpy", 2}}}};
  const std::string text = to_text(record);
  const std::string start =
      R"({"version":1,"target":{"base":"sha256:00","machine":"x86_64","libc":"glibc-2.36","python":"3.11.2",)"
      R"("interpreter":"/usr/bin/python3.11"},"below":2,"layers":)";
  EXPECT_EQ(
      text,
      start +
          R"([["numpy:0000000000000001:0123abcd:numpy.libs,bin/f2py:libstdc++.so.6"],)"
          R"(["a:fedcba9876543210","b:0000000000000007:"]],"above":["fedcba9876543211","0000000000000002"],"seen":3,"changed":{"numpy":2}})");
  EXPECT_EQ(read_plan_record(text), record);
  EXPECT_EQ(read_plan_record(to_text(PlanRecord{})), PlanRecord{});
  // As a label it has what the layers say, and no more.
  PlanRecord of_label = record;
  of_label.learned = {};
  of_label.facts = {};
  of_label.above = {};
  EXPECT_EQ(to_label(record, {"a"}),
            start + R"([["numpy:0000000000000001"],["a:fedcba9876543210","b:0000000000000007"]]})");
  EXPECT_EQ(read_plan_record(to_label(record, {})), of_label);
  // Names that stand elsewhere are not told again.
  const std::vector<std::string> names = {"a", "and-more", "b", "numpy"};
  const std::string label = to_label(record, names);
  EXPECT_THAT(label, testing::StartsWith("{\"version\":2,"));
  EXPECT_THAT(label, testing::EndsWith(R"("layers":"3:0000000000000001 0:fedcba9876543210,2:0000000000000007"})"));
  EXPECT_EQ(read_plan_record(label, names), of_label);
  EXPECT_EQ(read_plan_record(to_label(PlanRecord{}, names), names), PlanRecord{});
  EXPECT_THROW(read_plan_record(label, {"a"}), Error);
}

TEST(PlanRecord, IsSmallEnoughForAnAnnotation) {
  PlanRecord record;
  for (int i = 0; i < 200; ++i) {
    const std::string name = fmt::format("some-distribution-{}", i);
    const RecordedMember member{name, 0xffffffffffffffff};
    record.layers.push_back({member});
    record.facts[member].places = {"one-more.libs", fmt::format("bin/{}", name), std::string(i % 60, 'x')};
    if (i % 2 == 0) record.learned.changed[name] = 100;
  }
  record.learned.sets_seen = 1000;
  EXPECT_GT(to_text(record).size(), 16u * 1024);
  shorten(record);
  EXPECT_LE(to_text(record).size(), 16u * 1024);
  EXPECT_FALSE(record.facts.empty());
  for (const auto& [member, facts] : record.facts) EXPECT_LT(facts.places[2].size(), 50u);  // the longest went
}

TEST(MemberFacts, AreReadAsTheyWereWritten) {
  const MemberFacts all{"0f", {"a"}, {"libx.so.1", "liby.so.2"}, {"libz.so"}, {"pq"}, 77};
  EXPECT_EQ(to_text(all), "0f:a:libx.so.1,liby.so.2:libz.so:pq:77");
  for (const MemberFacts& facts : {all, MemberFacts{}, MemberFacts{.places = {"a", "bin/b"}}, MemberFacts{.size = 0},
                                   MemberFacts{.asks_for = {"c"}}}) {
    EXPECT_EQ(read_member_facts(to_text(facts)), facts) << to_text(facts);
  }
  for (const char* text : {":", "f:a:", ",", "f:a,", "a b", "::::::1", ":::::x", ":::::01"}) {
    EXPECT_EQ(read_member_facts(text), std::nullopt) << text;
  }
  EXPECT_TRUE(is_plain_fact("share/man"));
  for (const char* text : {"", "a,b", "a:b", "a\"b", "\303\251"}) EXPECT_FALSE(is_plain_fact(text)) << text;
}

TEST(PlanRecord, RefusesWhatNobodyWrites) {
  for (const char* text : {
           "",
           "[]",
           R"({"version":2,"layers":[],"seen":0,"changed":{}})",
           R"({"version":2,"layers":"0:0000000000000001","seen":0,"changed":{}})",
           R"({"version":3,"layers":[],"seen":0,"changed":{}})",
           R"({"version":1,"seen":0,"changed":{}})",
           R"({"version":1,"below":126,"layers":[],"seen":0,"changed":{}})",
           R"({"version":1,"target":{"machine":7},"layers":[],"seen":0,"changed":{}})",
           R"({"version":1,"layers":[["a:0000000000000001x"]],"seen":0,"changed":{}})",
           R"({"version":1,"layers":[["a:0000000000000001:b c"]],"seen":0,"changed":{}})",
           R"({"version":1,"layers":[[]],"seen":0,"changed":{}})",
           R"({"version":1,"layers":[["a:1"]],"seen":0,"changed":{}})",
           R"({"version":1,"layers":[[":0000000000000001"]],"seen":0,"changed":{}})",
           R"({"version":1,"layers":[["a:000000000000000A"]],"seen":0,"changed":{}})",
           R"({"version":1,"layers":[["a:00000000000000-1"]],"seen":0,"changed":{}})",
           R"({"version":1,"layers":[["a:0000000000000001"],["a:0000000000000001"]],"seen":0,"changed":{}})",
           R"({"version":1,"layers":[],"above":["1"],"seen":0,"changed":{}})",
           R"({"version":1,"layers":[],"above":[1],"seen":0,"changed":{}})",
           R"({"version":1,"layers":[],"seen":-1,"changed":{}})",
           R"({"version":1,"layers":[],"seen":1,"changed":{"a":2}})",
           R"({"version":1,"layers":[],"seen":10000000,"changed":{}})",
       }) {
    EXPECT_THROW(read_plan_record(text), Error) << text;
  }
  EXPECT_THROW(read_plan_record(std::string(2 << 20, ' ')), Error);
  for (const char* layers : {"1:0000000000000001", "0:1", "0", "a:0000000000000001", "-1:0000000000000001", " ",
                             "0:000000000000000A", "0:0000000000000001 0:0000000000000001", "0:0000000000000001:x"}) {
    EXPECT_THROW(read_plan_record(fmt::format(R"({{"version":2,"layers":"{}"}})", layers), {"a"}), Error) << layers;
  }
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
