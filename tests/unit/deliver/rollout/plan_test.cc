#include "deliver/rollout/plan.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "foundation/json.hh"

namespace veneer::deliver {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string old_image(64, 'a');
const std::string new_image(64, 'b');
const std::string other_image(64, 'c');
const std::string one(64, '1');
const std::string two(64, '2');

std::string image(const std::string& config) { return R"({"Config": )" + config + "}"; }
std::string row(const std::string& id, const std::string& status, const std::string& from = old_image) {
  return fmt::format("{}|web|{}|none|0|sha256:{}|0", id, status, from);
}
std::string release(int number, const std::string& image) {
  return fmt::format("yes {} 2026-11-27T10:00:00Z well docker.io/library/shop:veneer-1 {} me - 1 1.0 deploy", number,
                     image);
}
std::string container(const std::string& id, const std::string& config, const std::string& host) {
  return fmt::format(R"({{"Id": "{}", "Config": {}, "HostConfig": {}}})", id, config, host);
}

// A service `web` of one container that runs the old image.
struct Site {
  RolloutFacts facts;
  Site() {
    say("service", "web");
    say("range", "32768 60999");
  }
  explicit Site(const std::string& status, const std::string& config = "{}",
                const std::string& host = R"({"NetworkMode": "site_default", "RestartPolicy": {"Name": "no"}})")
      : Site() {
    say("row", row(one, status));
    say("container", container(one, config, host));
    images("{}", "{}");
  }
  void images(const std::string& old_config, const std::string& new_config) {
    say("image", old_image + " " + image(old_config));
    say("image", new_image + " " + image(new_config));
  }
  void say(std::string_view key, const std::string& value) { take_fact(facts, key, value); }
  RolloutPlan plan(std::optional<std::uint64_t> settle = std::nullopt, PortWait ports = PortWait::listed) const {
    return make_plan(facts, {.image = new_image, .settle = settle, .ports = ports});
  }
  HealthPlan forward() const { return plan().forward.services.front(); }
  HealthPlan back() const { return plan().back.services.front(); }
};

TEST(Plan, SettlesSoonerWhatWasWellBefore) {
  EXPECT_EQ(Site("running").forward().settle, 2U);
  EXPECT_EQ(Site("restarting").forward().settle, 5U);
  EXPECT_EQ(Site("exited").forward().settle, 5U);
  EXPECT_EQ(Site().forward().settle, 5U);
  EXPECT_EQ(Site("restarting").back().settle, 2U);
  EXPECT_EQ(Site("running").plan(9).forward.services.front().settle, 9U);
  EXPECT_EQ(Site("running").plan(0).back.services.front().settle, 0U);
  EXPECT_EQ(Site("running").plan(7).forward.services.back(), (HealthPlan{.name = "-", .settle = 7}));
}

TEST(Plan, KnowsWhatWasRestartedBefore) {
  Site site;
  site.say("row", one + "|web|running|none|3|sha256:" + old_image + "|0");
  ASSERT_EQ(site.plan().forward.known.size(), 1U);
  EXPECT_EQ(site.plan().forward.known[0].restarts, 3U);
}

TEST(Plan, OneShotServices) {
  const auto host = [](const char* policy) { return fmt::format(R"({{"RestartPolicy": {{"Name": "{}"}}}})", policy); };
  for (const char* policy : {"no", "", "on-failure"})
    EXPECT_TRUE(Site("exited", "{}", host(policy)).forward().may_end) << policy;
  for (const char* policy : {"always", "unless-stopped"})
    EXPECT_FALSE(Site("exited", "{}", host(policy)).forward().may_end);
  EXPECT_FALSE(Site("running").forward().may_end);
  Site awaited("running");
  awaited.say("setting", "web|awaited|completion");
  EXPECT_TRUE(awaited.forward().may_end);
  EXPECT_TRUE(awaited.back().may_end);
  Site always("running", "{}", host("always"));
  always.say("setting", "web|awaited|completion");
  EXPECT_FALSE(always.forward().may_end);
  Site failed;
  failed.say("row", fmt::format("{}|web|exited|none|0|sha256:{}|1", one, old_image));
  EXPECT_FALSE(failed.forward().may_end);
  Site first;  // it never ran
  first.say("setting", "web|awaited|completion");
  EXPECT_TRUE(first.forward().may_end);
  first.say("setting", "web|restart|always");
  EXPECT_FALSE(first.forward().may_end);
}

TEST(Plan, HealthCheckOfTheNewContainer) {
  const std::string own = R"({"Healthcheck": {"Test": ["CMD", "own"]}})";
  const std::string old_check = R"({"Healthcheck": {"Test": ["CMD", "old"]}})";
  const std::string new_check =
      R"({"Healthcheck": {"Test": ["CMD-SHELL", "new 'check'"]}, "Shell": ["/bin/ash", "-ec"]})";
  Site given("running", own);
  given.images(old_check, new_check);
  EXPECT_EQ(given.forward().check, "'own'");
  EXPECT_EQ(given.back().check, "'own'");
  Site inherited("running", old_check);
  inherited.images(old_check, new_check);
  const std::string inherited_check = R"('/bin/ash' '-ec' 'new '\''check'\''')";
  EXPECT_EQ(inherited.forward().check, inherited_check);
  EXPECT_EQ(inherited.back().check, "'old'");
  inherited.images(old_check, "{}");  // the new one has none
  EXPECT_FALSE(inherited.forward().has_check);
  EXPECT_TRUE(inherited.back().has_check);
  Site none("running", R"({"Healthcheck": {"Test": ["NONE"]}})");
  none.images(old_check, new_check);
  EXPECT_FALSE(none.forward().has_check);
  Site fresh;
  fresh.images("{}", new_check);
  EXPECT_TRUE(fresh.forward().has_check);
  fresh.say("setting", "web|healthcheck|own");  // its words are not known here
  EXPECT_FALSE(fresh.forward().has_check);
  // What the compose file says now counts, not what the container has.
  Site edited("running", own);
  edited.images(old_check, new_check);
  edited.say("setting", "web|healthcheck|own");
  EXPECT_TRUE(edited.forward().has_check);
  EXPECT_EQ(edited.forward().check, "") << "its words are not known: the engine tells";
  edited.say("composed", R"({"services": {"web": {"healthcheck": {"test": ["CMD", "echo", "$$HOME"]}}}})");
  EXPECT_EQ(edited.forward().check, "'echo' '$HOME'");
  EXPECT_EQ(edited.back().check, "'echo' '$HOME'");
  edited.say("composed", R"({"services": {"web": {"healthcheck": {"test": "echo $$HOME"}}}})");
  EXPECT_EQ(edited.forward().check, "'/bin/ash' '-ec' 'echo $HOME'");
  edited.say("composed", R"({"services": {"web": {"healthcheck": {"disable": true}}}})");
  EXPECT_FALSE(edited.forward().has_check);
  edited.say("composed", R"({"services": {"web": {"healthcheck": {"interval": "5s"}}}})");
  EXPECT_EQ(edited.forward().check, inherited_check);
  edited.say("composed", R"({"services": {"web": {}}})");
  EXPECT_EQ(edited.back().check, "'old'");
  Site podman("running");
  podman.say("image", new_image + R"( {"Config": {}, "Healthcheck": {"Test": ["CMD", "podman"]}})");
  EXPECT_EQ(podman.forward().check, "'podman'");
}

TEST(Plan, HealthCommands) {
  EXPECT_EQ(health_command({"CMD", "a b", "", "it's", "$x\n\\", "日本"}, {}), "'a b' '' 'it'\\''s' '$x\n\\' '日本'");
  EXPECT_EQ(health_command({"CMD-SHELL", "exit 1"}, {}), "'/bin/sh' '-c' 'exit 1'");
  for (const std::vector<std::string>& test : std::vector<std::vector<std::string>>{
           {}, {"CMD"}, {"NONE"}, {"CMD-SHELL", "a", "b"}, {"other", "a"}, {"CMD", std::string("a\0b", 3)}}) {
    EXPECT_EQ(health_command(test, {}), "");
  }
}

TEST(Plan, WaitsForThePortsOnWhichItListened) {
  Site site("running");
  site.say("listens", one + " 1F40 no");
  site.say("listens", one + " 0050 no");
  site.say("listens", one + " 9000 no");  // 36864: given to whoever asks for any
  EXPECT_THAT(site.forward().ports, ElementsAre(80, 8000));
  EXPECT_TRUE(site.forward().must_listen);
  EXPECT_FALSE(site.forward().by_process);
  EXPECT_THAT(site.back().ports, ElementsAre(80, 8000));
  EXPECT_THAT(site.plan(std::nullopt, PortWait::none).forward.services.front().ports, IsEmpty());
  EXPECT_THAT(site.plan(std::nullopt, PortWait::none).notes, ElementsAre(HasSubstr("--no-port-wait")));
  // Another range, and a port that is exposed.
  Site exposed("running", R"({"ExposedPorts": {"36864/tcp": {}}})");
  exposed.images(R"({"ExposedPorts": {"36864/tcp": {}}})", R"({"ExposedPorts": {"36864/tcp": {}}})");
  exposed.say("listens", one + " 9000 no");
  EXPECT_THAT(exposed.forward().ports, ElementsAre(36864));
  Site range("running");
  range.say("range", "40000 50000");
  range.say("listens", one + " 9000 no");
  EXPECT_THAT(range.forward().ports, ElementsAre(36864));
}

TEST(Plan, PortsThatTheNewImageExposesCountInstead) {
  Site site("running");
  site.images(R"({"ExposedPorts": {"8000/tcp": {}}})", R"({"ExposedPorts": {"9000/tcp": {}, "53/udp": {}}})");
  EXPECT_THAT(site.forward().ports, IsEmpty());  // it listened nowhere
  site.say("listens", one + " 1F40 no");
  EXPECT_THAT(site.forward().ports, ElementsAre(9000));
  EXPECT_THAT(site.back().ports, ElementsAre(8000));
}

TEST(Plan, InANetworkOfOthersOnlyItsOwnSocketsCount) {
  for (const char* mode : {"host", "container:2", "service:front"}) {
    Site site("running", "{}", fmt::format(R"({{"NetworkMode": "{}"}})", mode));
    site.say("listens", one + " 0016 no");
    EXPECT_THAT(site.forward().ports, IsEmpty());
    EXPECT_THAT(site.plan().notes, ElementsAre(HasSubstr("only root")));
    site.say("listens", one + " 1F40 yes");
    EXPECT_THAT(site.forward().ports, ElementsAre(8000));
    EXPECT_TRUE(site.forward().by_process);
    EXPECT_THAT(site.plan().notes, IsEmpty());
  }
  Site joined("running");  // another container uses its network
  joined.say("mode", "container:" + one);
  joined.say("listens", one + " 2328 no");
  joined.say("listens", one + " 1F40 yes");
  EXPECT_THAT(joined.forward().ports, ElementsAre(8000));
  Site unseen("running");
  unseen.say("unseen", one);
  EXPECT_THAT(unseen.plan().notes, ElementsAre(HasSubstr("cannot see")));
}

TEST(Plan, OfSeveralContainersWhatAllListenOn) {
  Site site("running");
  site.say("row", row(two, "running"));
  site.say("listens", one + " 1F40 no");
  site.say("listens", one + " 2328 no");
  site.say("listens", two + " 1F40 no");
  EXPECT_THAT(site.forward().ports, ElementsAre(8000));
}

TEST(Plan, WithoutAPredecessorTheExposedPortsAreTold) {
  Site site;
  site.images("{}", R"({"ExposedPorts": {"8000/tcp": {}}})");
  EXPECT_THAT(site.forward().ports, ElementsAre(8000));
  EXPECT_FALSE(site.forward().must_listen);
  for (const char* setting : {"web|entrypoint|own", "web|command|own", "web|network_mode|host", "web|network_mode|none",
                              "web|network_mode|service:x", "web|healthcheck|own"}) {
    Site other = site;
    other.say("setting", setting);
    EXPECT_THAT(other.forward().ports, IsEmpty()) << setting;
  }
}

TEST(Plan, WayBackIsWhatWasWell) {
  EXPECT_EQ(Site().plan().way_back, "");
  EXPECT_EQ(Site("running").plan().way_back, old_image);
  // A start-first that was killed left its new containers, which the engine lists first.
  Site left;
  left.say("row", row(two, "running", new_image));
  left.say("row", row(one, "running", old_image));
  left.say("live", new_image);
  EXPECT_EQ(left.plan().way_back, old_image);
  left.say("row", row(two, "running", other_image));
  left.say("release", release(1, other_image));
  left.say("release", release(2, old_image));
  EXPECT_EQ(left.plan().way_back, old_image);
  left.say("release", release(3, other_image));
  EXPECT_EQ(left.plan().way_back, other_image);
  Site stopped;  // what runs counts more than what does not
  stopped.say("row", row(two, "exited", other_image));
  stopped.say("row", row(one, "running", old_image));
  EXPECT_EQ(stopped.plan().way_back, old_image);
}

TEST(Plan, FactsThatCannotBeReadAreRefused) {
  RolloutFacts facts;
  EXPECT_THROW(take_fact(facts, "container", "{"), Error);
  EXPECT_THROW(take_fact(facts, "other", "x"), Error);
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{{"row", "a|b"},
                                                                                   {"listens", "x"},
                                                                                   {"listens", "x 1F40F yes"},
                                                                                   {"range", "a b"},
                                                                                   {"image", "x"},
                                                                                   {"image", ""},
                                                                                   {"setting", ""},
                                                                                   {"another", "x"}}) {
    take_fact(facts, key, value);
  }
  EXPECT_THAT(facts.containers, IsEmpty());
  EXPECT_THAT(facts.listening, IsEmpty());
  take_fact(facts, "container", "[]");
  take_fact(facts, "image", "x []");
  take_fact(facts, "service", "web");
  EXPECT_EQ(make_plan(facts, {.image = "x"}).way_back, "");
}

}  // namespace
}  // namespace veneer::deliver
