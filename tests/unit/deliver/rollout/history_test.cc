#include "deliver/rollout/history.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "foundation/error.hh"

namespace veneer::deliver {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

std::string id(char digit) { return std::string(64, digit); }

/// A line of the host; `image` is a digit that the identifier is made of.
std::string line(std::string_view number, std::string_view outcome, char image, std::string_view kind = "deploy") {
  return fmt::format("yes {} 2026-11-27T10:00:00Z {} docker.io/library/shop:veneer-{} {} me@here abc 100 1.5 {}",
                     number, outcome, image, id(image), kind);
}

std::vector<std::string> described(const std::vector<Release>& releases) {
  std::vector<std::string> texts;
  for (const Release& release : releases)
    texts.push_back(fmt::format("{} {}", release.revision, outcome_name(release.outcome)));
  return texts;
}

std::uint64_t way_back(const std::vector<std::string>& lines, char live) {
  const History history{id(live), read_releases(lines, false)};
  return find_release(history, std::nullopt).revision;
}

TEST(ReadReleases, AReleaseIsItsBeginningAndItsEnd) {
  const std::vector<std::string> lines = {line("1", "begun", 'a'), line("1", "well", 'a'), line("2", "begun", 'b'),
                                          line("3", "begun", 'c'), line("3", "back", 'c'), line("4", "begun", 'd')};
  EXPECT_THAT(described(read_releases(lines, false)), ElementsAre("1 well", "2 unfinished", "3 back", "4 unfinished"));
  EXPECT_THAT(described(read_releases(lines, true)), ElementsAre("1 well", "2 unfinished", "3 back", "4 at work"));
}

TEST(ReadReleases, ALineThatIsDamagedCostsItselfOnly) {
  const std::string whole = line("2", "well", 'b');
  for (const std::string& damaged :
       {std::string("yes"), std::string("yes "), line("08", "well", 'a'), line("0", "well", 'a'),
        line("-1", "well", 'a'), line("1x", "well", 'a'), line("99999999999999999999", "well", 'a'),
        line("1", "splendid", 'a'), line("1", "unfinished", 'a'), whole.substr(0, whole.size() / 2), whole + " more",
        line("1", "well", 'a').replace(4, 1, "1 1")}) {
    EXPECT_THAT(described(read_releases({damaged, whole, damaged}, false)), ElementsAre("2 well")) << damaged;
  }
  EXPECT_THAT(read_releases({}, true), IsEmpty());
}

TEST(FindRelease, GoesBackAndNeverForward) {
  std::vector<std::string> lines = {line("1", "well", 'a', "found"), line("2", "well", 'b'), line("3", "well", 'c')};
  EXPECT_EQ(way_back(lines, 'c'), 2U);
  lines.push_back(line("4", "well", 'b', "rollback"));
  EXPECT_EQ(way_back(lines, 'b'), 1U) << "not to 3, which was gone back from";
  lines.push_back(line("5", "well", 'a', "rollback"));
  EXPECT_THROW(way_back(lines, 'a'), Error) << "there is none before the first";
}

TEST(FindRelease, PassesOverWhatWasNotWell) {
  const std::vector<std::string> lines = {line("1", "well", 'a'), line("2", "back", 'b'), line("3", "begun", 'c'),
                                          line("4", "failed", 'd'), line("5", "well", 'e')};
  EXPECT_EQ(way_back(lines, 'e'), 1U);
}

TEST(FindRelease, OfAnImageThatWasDeployedTwiceTheNewerCounts) {
  const std::vector<std::string> lines = {line("1", "well", 'a'), line("2", "well", 'b'), line("3", "well", 'a')};
  EXPECT_EQ(way_back(lines, 'a'), 2U);
  EXPECT_EQ(way_back(lines, 'b'), 1U);
}

TEST(FindRelease, WhereSomethingElseServesTheNewestThatWasWell) {
  const std::vector<std::string> lines = {line("1", "well", 'a'), line("2", "well", 'b')};
  EXPECT_EQ(way_back(lines, 'f'), 2U);
}

TEST(FindRelease, TakesWhatIsNamed) {
  const History history{id('c'), read_releases({line("1", "well", 'a'), line("2", "back", 'b'), line("3", "well", 'c'),
                                                line("4", "well", 'a', "rollback")},
                                               false)};
  EXPECT_EQ(find_release(history, 3).id, id('c'));
  EXPECT_EQ(find_release(history, 4).id, id('a'));
  EXPECT_THAT([&] { find_release(history, 2); }, ThrowsMessage<Error>(HasSubstr("never well (back)")));
  EXPECT_THAT([&] { find_release(history, 9); }, ThrowsMessage<Error>(HasSubstr("no release 9")));
}

TEST(FindRelease, WhatWasOnlyShippedIsNoWayBack) {
  const std::vector<std::string> lines = {line("1", "well", 'a'), line("2", "shipped", 'b', "ship"),
                                          line("3", "well", 'c')};
  EXPECT_THAT(described(read_releases(lines, false)), ElementsAre("1 well", "2 shipped", "3 well"));
  EXPECT_EQ(way_back(lines, 'c'), 1U);
  EXPECT_THROW(find_release({id('c'), read_releases(lines, false)}, 2), Error);
}

}  // namespace
}  // namespace veneer::deliver
