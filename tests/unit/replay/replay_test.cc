#include "replay/replay.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "replay/page.hh"
#include "replay/records.hh"

namespace veneer::replay {
namespace {

using testing::HasSubstr;

constexpr std::string_view small_history = R"({"project":"shop","source":"here"}
{"wheels":[["a","1","a-1.whl","a1",1000,"w"],["a","2","a-2.whl","a2",1100,"w"],["b","1","b-1.whl","b1",50,"w"]]}
{"sets":[[0,2],[1,2]]}
{"dependents":{}}
{"set":null,"lock":null,"pyproject":"p0","docker":"d"}
{"set":0,"lock":"l1","pyproject":"p1","docker":"d"}
{"set":0,"lock":"l1","pyproject":"p1","docker":"d"}
{"set":0,"lock":"l2","pyproject":"p1","docker":"d"}
{"set":1,"lock":"l3","pyproject":"p1","docker":"d"}
{"set":1,"lock":"l3","pyproject":"p1","docker":"other"}
)";

TEST(Replay, AddsUpWhatEachLayoutBrings) {
  const Costs costs = replay(read_records(small_history), 60);
  EXPECT_EQ(costs.project, "shop");
  EXPECT_EQ(costs.deploys(), 5u);
  EXPECT_EQ(costs.set_changes, 1u);
  EXPECT_EQ(costs.total.layer_per_wheel, 1100u);
  EXPECT_EQ(costs.total.one_layer_always, 2 * 1050u + 2 * 1150u);
  EXPECT_EQ(costs.total.deps_layer_by_set, 1150u);
  EXPECT_EQ(costs.total.deps_layer_by_lock_bytes, 1050u + 1150u);
  EXPECT_EQ(costs.total.seed_base_image, 3 * 250'000'000u + 1050 + 2 * 1150);
  EXPECT_EQ(costs.total.veneer_blobs, 1100u);
  EXPECT_EQ(costs.total.veneer_prefix, 1150u);  // a lay below b
  EXPECT_EQ(replay(read_records(small_history), 1).total.veneer_blobs, 1150u);
  EXPECT_EQ(
      to_json(to_value(costs)),
      R"({"name":"shop","deploys":5,"set_changes":1,"bound":1100,"layouts":{"one_layer_always":4400,)"
      R"("seed_base_image":750003350,"deps_layer_by_set":1150,"deps_layer_by_lock_bytes":2200,"layer_per_wheel":1100},)"
      R"("veneer":{"blobs":1100,"prefix":1150},"wheels":3,"estimated":0})");
}

TEST(Replay, CountsTheApplicationsFiles) {
  History history = read_records(small_history);
  history.files = {{"app/main.py", "1", 5'000}, {"app/logo.png", "1", 300'000}, {"app/main.py", "2", 5'100}};
  history.applications = {{0, 1}, {1, 2}};
  const std::vector<std::optional<std::size_t>> of_deploys = {std::nullopt, 0, 0, 1, 1, 1};
  for (std::size_t i = 0; i < of_deploys.size(); ++i) history.deploys[i].application = of_deploys[i];
  const Costs costs = replay(history, 60);
  EXPECT_TRUE(costs.has_application);
  EXPECT_EQ(costs.total.application_one_layer, 305'100u);  // the line of code
  EXPECT_EQ(costs.total.application_blobs, 5'100u);
  EXPECT_EQ(costs.total.application_changed, 5'100u);
  EXPECT_EQ(costs.total.application_prefix, 5'100u + 305'100u);  // and once more on other dependencies
  EXPECT_EQ(costs.brought[3].application_prefix, 305'100u);
  EXPECT_EQ(to_value(costs).at("application").at("blobs").integer(), 5'100);
  EXPECT_THAT(page({costs}), HasSubstr("<th>application as"));
  EXPECT_FALSE(replay(read_records(small_history), 60).has_application);
}

TEST(Replay, HasNothingToSayOfNoDeploys) {
  const Costs costs =
      replay(read_records("{\"project\":\"x\"}\n{\"wheels\":[]}\n{\"sets\":[]}\n{\"dependents\":{}}\n"), 60);
  EXPECT_EQ(costs.deploys(), 0u);
  EXPECT_EQ(costs.total.veneer_blobs, 0u);
}

TEST(Page, ShowsEachHistoryAndTrustsNoName) {
  Costs costs = replay(read_records(small_history), 60);
  costs.project = "<script>\"&";
  const std::string text = page({costs, Costs{.project = "nothing"}});
  EXPECT_THAT(text, HasSubstr("<h2>&lt;script&gt;&quot;&amp;</h2>"));
  EXPECT_THAT(text, HasSubstr("<h2>nothing</h2>"));
  EXPECT_THAT(text, HasSubstr("5 deploys with a lock, 1 of them"));
  for (const char* request : {"<script", "http:", "https:", "src=", "url(", "@import", "<link"}) {
    EXPECT_EQ(text.find(request), std::string::npos) << request;
  }
  // A chart where there is something to draw; a line for each layout, with numbers that a browser can read.
  EXPECT_EQ(text.find("<svg"), text.rfind("<svg"));
  EXPECT_EQ(text.find("nan"), std::string::npos);
  EXPECT_EQ(text.find("inf"), std::string::npos);
  EXPECT_EQ(page({costs}), page({costs}));
}

TEST(Records, NameTheLineThatIsWrong) {
  const auto refused = [](const std::string& from, const std::string& to) -> std::string {
    std::string text(small_history);
    const std::size_t place = text.find(from);
    text.replace(place, from.size(), to);
    try {
      read_records(text);
    } catch (const Error& error) {
      return error.what();
    }
    return "taken";
  };
  EXPECT_THAT(refused(R"({"set":0)", R"({"set":2)"), HasSubstr("line 6 of the records: there is no set 2"));
  EXPECT_THAT(refused(R"({"set":0)", R"({"set":-1)"), HasSubstr("line 6"));
  EXPECT_THAT(refused("[0,2]", "[0,3]"), HasSubstr("line 3 of the records: there is no wheel 3"));
  EXPECT_THAT(refused("[0,2]", "[2,2]"), HasSubstr("a set has a wheel twice"));
  EXPECT_THAT(refused("1000,", "-1,"), HasSubstr("line 2 of the records: a wheel has -1 bytes"));
  EXPECT_THAT(refused(R"("a1",1000,"w")", R"("a1")"), HasSubstr("fewer than five fields"));
  EXPECT_THAT(refused(R"({"project")", R"({"name")"), HasSubstr("line 1"));
  EXPECT_THAT(refused("\n{\"dependents\":{}}", ""), HasSubstr("line 4"));
  try {
    read_records("{\"project\":\"x\"}\n");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("ends before its first deploy"));
  }
}

}  // namespace
}  // namespace veneer::replay
