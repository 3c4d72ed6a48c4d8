#include "deliver/rollout/retention.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "deliver/receiver/ssh/host_session.hh"

namespace veneer::deliver {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const EngineName live = parse_engine_name("shop:live");

std::string id(char digit) { return std::string(64, digit); }

/// A host; images are single digits, and each has the name that `ship` gave it. 'n' is brought into service.
struct Host {
  RetentionFacts facts;
  RetentionWishes wishes{.live_name = live, .image = id('n'), .keep = 2, .keep_failed = 1};

  explicit Host(std::string_view present) {
    for (const char image : present) named(image, std::string("shop:veneer-") + image);
  }
  void named(char image, std::string_view name) { facts.images.push_back({parse_engine_name(name), id(image)}); }
  void released(ReleaseOutcome outcome, std::string_view images) {
    for (const char image : images) {
      Release& release = facts.releases.emplace_back();
      release.revision = facts.releases.size();
      release.outcome = outcome;
      release.id = id(image);
    }
  }
  Retention plan() const { return plan_retention(facts, wishes); }
  static std::vector<std::string> tags(const std::vector<NamedImage>& images) {
    std::vector<std::string> tags;
    for (const NamedImage& image : images) tags.push_back(image.name.tag);
    return tags;
  }
  std::vector<std::string> after_well() const { return tags(plan().after_well); }
  std::vector<std::string> after_back() const { return tags(plan().after_back); }
};

constexpr auto well = ReleaseOutcome::well;
constexpr auto back = ReleaseOutcome::back;

TEST(Retention, TheLastGoodOnesStay) {
  Host host("1234n");
  host.released(well, "1234");
  host.facts.way_back = host.facts.live = id('4');
  EXPECT_THAT(host.after_well(), ElementsAre("veneer-1", "veneer-2", "veneer-3"));
  EXPECT_THAT(host.after_back(), ElementsAre("veneer-1", "veneer-2"));  // the new one is none of them
  host.wishes.keep = 4;
  EXPECT_THAT(host.after_well(), ElementsAre("veneer-1"));
  EXPECT_THAT(host.after_back(), IsEmpty());
}

TEST(Retention, OneIsAsOldAsTheLastTimeThatItWasWell) {
  Host host("123n");
  host.released(well, "1231");  // back to the first
  EXPECT_THAT(host.after_well(), ElementsAre("veneer-2", "veneer-3"));
  host.released(back, "3");  // that it failed later does not make it a failed one, nor a newer one
  EXPECT_THAT(host.after_well(), ElementsAre("veneer-2", "veneer-3"));
}

TEST(Retention, FailedOnesHaveANumberOfTheirOwn) {
  Host host("1234567n");
  host.released(well, "1");
  host.released(back, "2");
  host.released(ReleaseOutcome::failed, "3");
  host.released(ReleaseOutcome::unfinished, "4");
  host.released(well, "5");
  EXPECT_THAT(host.after_well(), ElementsAre("veneer-1", "veneer-2", "veneer-3"));
  EXPECT_THAT(host.after_back(), ElementsAre("veneer-2", "veneer-3", "veneer-4"));  // the new one is the failed one
  host.wishes.keep_failed = 0;
  EXPECT_THAT(host.after_well(), ElementsAre("veneer-1", "veneer-2", "veneer-3", "veneer-4"));
  EXPECT_THAT(host.after_back(), ElementsAre("veneer-2", "veneer-3", "veneer-4", "veneer-n"));
  host.wishes.keep_failed = 9;
  EXPECT_THAT(host.after_back(), IsEmpty());
}

TEST(Retention, TheNewOneThatWasWellBeforeIsNoFailedOne) {
  Host host("12n");
  host.released(well, "n");
  host.released(back, "1");
  host.wishes.keep_failed = 1;
  EXPECT_THAT(host.after_back(), IsEmpty());
  host.wishes.keep_failed = 0;
  EXPECT_THAT(host.after_back(), ElementsAre("veneer-1"));
}

TEST(Retention, ShippedOnesCountWithTheGoodOnes) {
  Host host("123n");
  host.released(well, "1");
  host.released(ReleaseOutcome::shipped, "2");
  host.released(well, "3");
  EXPECT_THAT(host.after_well(), ElementsAre("veneer-1", "veneer-2"));
  host.wishes.keep = 3;
  EXPECT_THAT(host.after_well(), ElementsAre("veneer-1"));
  host.released(back, "2");  // then it was tried
  EXPECT_THAT(host.after_well(), IsEmpty());
  host.wishes.keep_failed = 0;
  EXPECT_THAT(host.after_well(), ElementsAre("veneer-2"));
}

TEST(Retention, WhatCameAfterTheLastRolloutIsWrittenDownAndStays) {
  Host host("1234n");
  host.named('4', "shop:veneer-found-4");
  host.released(well, "12");
  host.facts.way_back = host.facts.live = id('2');
  host.wishes.keep = 1;
  EXPECT_THAT(host.after_well(), ElementsAre("veneer-1"));
  EXPECT_THAT(Host::tags(host.plan().shipped), ElementsAre("veneer-3", "veneer-4"));
  host.facts.way_back = id('3');  // that is a release as soon as this one begins
  EXPECT_THAT(Host::tags(host.plan().shipped), ElementsAre("veneer-4"));
}

TEST(Retention, WhatIsInUseStays) {
  Host host("12345678n");
  host.released(well, "12345678");
  host.wishes.keep = 1;
  host.facts.live = id('1');
  host.facts.way_back = id('2');
  host.facts.uses = {{id('3'), ""}, {id('4'), "another group"}, {id('5'), group_of(live)}};
  host.facts.releases[5].outcome = ReleaseOutcome::at_work;
  EXPECT_THAT(host.after_well(), ElementsAre("veneer-5", "veneer-7", "veneer-8"));
}

TEST(Retention, WhatIsGoneTakesNoPlace) {
  Host host("12n");
  host.released(well, "1");
  host.released(well, "3456");
  host.released(back, "2");
  host.released(back, "7");
  EXPECT_THAT(host.after_well(), IsEmpty());
}

TEST(Retention, OnlyNamesThatVeneerGaveGo) {
  Host host("1n");
  host.named('1', "shop:1.0");
  host.named('1', "shop:live2");
  host.named('1', "shop:veneer-found-1");
  host.named('1', "webshop:veneer-1");
  host.named('2', "ghcr.io/library/shop:veneer-2");
  host.released(well, "12");
  host.wishes.keep = 1;
  EXPECT_THAT(host.after_well(), ElementsAre("veneer-1", "veneer-found-1"));
  EXPECT_THAT(host.plan().shipped, IsEmpty());
}

}  // namespace
}  // namespace veneer::deliver
