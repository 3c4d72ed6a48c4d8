#include "deliver/rollout/health.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "foundation/file.hh"
#include "foundation/json.hh"
#include "tests/support/places.hh"

namespace veneer::deliver {
namespace {

std::string_view name_of(Judgement::State state) {
  switch (state) {
    case Judgement::State::well: return "well";
    case Judgement::State::waiting: return "waiting";
    case Judgement::State::failed: return "failed";
  }
  return "";
}

HealthPlan plan_of(const Value& value) {
  HealthPlan plan;
  plan.name = value.at("name").string();
  plan.may_end = value.at("may_end").boolean();
  plan.settle = static_cast<std::uint64_t>(value.at("settle").integer());
  plan.has_check = value.at("has_check").boolean();
  plan.must_listen = value.at("must_listen").boolean();
  plan.by_process = value.at("by_process").boolean();
  for (const Value& port : value.at("ports").array()) plan.ports.push_back(static_cast<std::uint16_t>(port.integer()));
  plan.check = value.at("check").string();
  return plan;
}

bool has(const std::vector<std::string>& rows, const std::string& row) {
  return std::ranges::find(rows, row) != rows.end();
}

// tests/host/scripts_test.py runs the same table through the script.
TEST(Health, JudgesAsTheTableSays) {
  const auto path = tests::source_folder() / "tests/host/verdicts.json";
  const Value table = parse_json(read_text_file_if_exists(path, 1024 * 1024).value());
  ASSERT_FALSE(table.array().empty());
  for (const Value& row : table.array()) {
    SCOPED_TRACE(row.at("title").string());
    std::vector<ContainerState> containers;
    for (const std::string& text : row.strings_or_empty("rows")) {
      const auto state = read_container_state(text);
      ASSERT_TRUE(state) << text;
      containers.push_back(*state);
    }
    HealthPlans plans;
    std::vector<std::string> lines;
    for (const Value& plan : row.at("plans").array()) {
      plans.services.push_back(plan_of(plan));
      lines.push_back(to_line(plans.services.back()));
    }
    EXPECT_EQ(lines, row.strings_or_empty("lines"));
    for (const std::string& known : row.strings_or_empty("known")) {
      const std::size_t space = known.find(' ');
      plans.known.push_back({known.substr(0, space), std::stoull(known.substr(space))});
    }
    const auto listening = row.strings_or_empty("listening");
    const auto healthy = row.strings_or_empty("healthy");
    Look look{.image = std::string(64, 'b')};
    look.elapsed = static_cast<std::uint64_t>(row.at("elapsed").integer());
    look.longest = static_cast<std::uint64_t>(row.at("wait").integer());
    look.listens = [&](const ContainerState& container, std::uint16_t port) {
      const auto plan = std::ranges::find(plans.services, container.name, &HealthPlan::name);
      const std::string by = plan != plans.services.end() && plan->by_process ? "process" : "network";
      return has(listening, fmt::format("{} {} {:04X}", container.id, by, port));
    };
    look.passes_check = [&](const ContainerState& container) { return has(healthy, container.id); };
    const Judgement judgement = judge(containers, plans, look);
    EXPECT_EQ(name_of(judgement.state), row.at("state").string());
    EXPECT_EQ(judgement.reason, row.at("reason").string());
    EXPECT_EQ(judgement.unchecked, row.strings_or_empty("unchecked"));
  }
}

TEST(Health, RowsThatAreNone) {
  for (const char* text : {"", "a", "a|web|running|none|x|i|0", "a|web|running|none|0|i", "|web|running|none|0|i|0",
                           "a|web|running|none|0|i|0|more"}) {
    EXPECT_FALSE(read_container_state(text)) << text;
  }
  EXPECT_TRUE(read_container_state("a|web|running||0|i|"));
}

TEST(SlowStop, IsToldWhenItTookLong) {
  EXPECT_EQ(note_of_slow_stop("web 10").value_or("").substr(0, 49),
            "web took its whole grace time to stop (10 s): its");
  for (const char* words : {"web 0", "web 1", "web 4", "web", "", "web -1", "web x", " "}) {
    EXPECT_FALSE(note_of_slow_stop(words)) << words;  // a grace time of 0, a busy machine, an odd host
  }
}

}  // namespace
}  // namespace veneer::deliver
