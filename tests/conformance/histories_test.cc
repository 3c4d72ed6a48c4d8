// The deploys of real projects in the corpus: layouts without a choice to the byte, and the bounds that the planner
// keeps.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "foundation/json.hh"
#include "replay/records.hh"
#include "replay/replay.hh"
#include "tests/support/corpus.hh"

namespace veneer::replay {
namespace {

std::map<std::string, History> histories() {
  std::map<std::string, History> all;
  for (const auto& entry : std::filesystem::directory_iterator(tests::corpus_folder() / "history")) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(".jsonl.xz")) continue;
    all[name.substr(0, name.find('.'))] = read_records(tests::read_corpus(std::filesystem::path("history") / name));
  }
  return all;
}

struct Bounds {
  std::size_t cap;
  double mean;   // geometric, of the projects
  double worst;  // of any project
};

TEST(Histories, CostWhatTheCorpusSaysWhereThereIsNothingToChoose) {
  VENEER_NEEDS_CORPUS();
  const Value targets = parse_json(tests::read_corpus("history/targets.json"));
  const auto all = histories();
  ASSERT_EQ(all.size(), targets.table().size());
  for (const auto& [name, history] : all) {
    const Value& target = targets.at(name);
    const Value costs = to_value(replay(history, 60));
    EXPECT_EQ(costs.at("layouts"), target.at("exact")) << name;
    EXPECT_EQ(costs.at("deploys"), target.at("deploys")) << name;
    EXPECT_EQ(costs.at("set_changes"), target.at("set_changes")) << name;
  }
}

TEST(Histories, StayWithinTheBoundsOfThePlanner) {
  VENEER_NEEDS_CORPUS();
  const auto all = histories();
  for (const Bounds& bounds : {Bounds{20, 1.36, 2.2}, {40, 1.12, 1.6}, {60, 1.06, 1.3}, {100, 1.02, 1.12}}) {
    double blobs = 0;
    double prefix = 0;
    double worst = 0;
    for (const auto& [name, history] : all) {
      const Costs costs = replay(history, bounds.cap);
      const double ratio =
          static_cast<double>(costs.total.veneer_blobs) / static_cast<double>(costs.total.layer_per_wheel);
      worst = std::max(worst, ratio);
      blobs += std::log(ratio);
      prefix +=
          std::log(static_cast<double>(costs.total.veneer_prefix) / static_cast<double>(costs.total.layer_per_wheel));
    }
    const auto projects = static_cast<double>(all.size());
    fmt::print("cap {}: {:.3f} times the bound (worst {:.3f}), {:.2f} for those who reuse a prefix\n", bounds.cap,
               std::exp(blobs / projects), worst, std::exp(prefix / projects));
    EXPECT_LE(std::exp(blobs / projects), bounds.mean) << bounds.cap;
    EXPECT_LE(worst, bounds.worst) << bounds.cap;
    if (bounds.cap == 60) {
      EXPECT_LE(std::exp(prefix / projects), 2.7);
    }
  }
}

}  // namespace
}  // namespace veneer::replay
