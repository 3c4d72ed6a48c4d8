#include "plan/layer_changes.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "plan/fixed_plan.hh"

namespace veneer::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Component distribution(const std::string& name, std::uint64_t size, const std::string& version = "1") {
  return {name + " " + version, name, ComponentKind::distribution, {sha256(name + version)}, size};
}
const Component application{"application", "application", ComponentKind::application, {sha256("app")}, 0};

std::vector<std::string> said(const LayoutPlan& plan, const std::optional<PlanRecord>& previous) {
  std::vector<std::string> result;
  for (const LayerChange& change : layer_changes(plan, previous)) {
    result.push_back(std::string(state_name(change.state)) + (change.why.empty() ? "" : ": " + change.why));
  }
  return result;
}

TEST(LayerChanges, SaysWhatStaysWhatMovesAndWhy) {
  const std::vector<Component> before = {distribution("a", 9'000), distribution("b", 8'000), distribution("c", 7'000)};
  const LayoutPlan first = layout(before, {}, {}, {});
  EXPECT_THAT(said(first, {}), ElementsAre("new: there is no image before", "new: there is no image before",
                                           "new: there is no image before"));
  EXPECT_THAT(said(layout(before, {}, first.record, {}), first.record), ElementsAre("kept", "kept", "kept"));
  const std::vector<Component> after = {before[0], distribution("b", 8'000, "2"), before[2], distribution("d", 10)};
  const LayoutPlan second = layout(after, {}, first.record, {});
  EXPECT_THAT(said(second, first.record), ElementsAre("kept", HasSubstr(""), HasSubstr(""), "new: d is new"));
  EXPECT_THAT(said(second, first.record), testing::Contains("new: b changed"));
  LayoutPlan on_another = layout(before, {}, first.record, {});
  on_another.record.target.base = "sha256:1";
  EXPECT_THAT(said(on_another, first.record),
              ElementsAre("moved: the base changed", "moved: the base changed", "moved: the base changed"));
  EXPECT_THAT(said(layout({before[0], before[2]}, {}, first.record, {}), first.record),
              ElementsAre("kept", "moved: what lay below it went"));
  EXPECT_THAT(explain(second, first.record, "b").value_or(""), HasSubstr("b changed in 1 of the 1 sets"));
  EXPECT_EQ(explain(second, first.record, "zebra"), std::nullopt);
}

/// As `veneer plan --json` prints it.
Value document_of(const LayoutPlan& plan) {
  Value document = to_value(plan);
  document.set("record", parse_json(to_text(plan.record)));
  return document;
}

TEST(FixedPlan, IsCarriedOutOrRefused) {
  std::vector<Component> set = {distribution("a", 9'000), distribution("b", 8'000), application};
  LayoutPlan plan = layout(set, {}, PlanRecord{.learned = {.sets_seen = 4, .changed = {{"a", 2}}}}, {});
  plan.record.target.base = "sha256:1";
  const FixedPlan fixed = read_fixed_plan(document_of(plan));
  const LayoutPlan again = carry_out(fixed, {set[2], set[1], set[0]}, {}, "sha256:1");
  EXPECT_EQ(to_value(again), to_value(plan));
  EXPECT_EQ(again.record.layers, plan.record.layers);
  EXPECT_EQ(again.record.learned, plan.record.learned);

  const auto refusal = [&](const std::vector<Component>& components, const std::vector<Overlap>& overlaps = {},
                           const std::string& base = "sha256:1") {
    try {
      carry_out(fixed, components, overlaps, base);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal(set, {}, "sha256:2"), HasSubstr("for the base sha256:1, and this one is sha256:2"));
  EXPECT_THAT(refusal({set[0], set[2]}), HasSubstr("it has b 1, and the project has not"));
  EXPECT_THAT(refusal({set[0], set[1], set[2], distribution("c", 1)}), HasSubstr("the project has c 1"));
  EXPECT_THAT(refusal({set[0], {"b 1", "b", ComponentKind::distribution, {sha256("other")}, 8'000}, set[2]}),
              HasSubstr("b 1 is not what it was"));
  const bool a_is_lower = plan.layers[0].components[0] == "a 1";
  const Overlap against = {a_is_lower ? "b 1" : "a 1", a_is_lower ? "a 1" : "b 1", "bin/x"};
  EXPECT_THAT(refusal(set, {against}), HasSubstr("for bin/x"));
  EXPECT_THROW(read_fixed_plan(parse_json("{}")), Error);
  EXPECT_THROW(read_fixed_plan(parse_json(R"({"layers":[{"key":"","components":[]}],"record":{}})")), Error);
}

}  // namespace
}  // namespace veneer::plan
