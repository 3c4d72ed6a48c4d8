// Extras and groups that the commands of a Dockerfile install.
#include "owners/uv_sync.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace veneer::owners {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Installed installed(const std::string& lines) {
  return installed_of(parse_dockerfile("FROM python:3.13\n" + lines, "Dockerfile"));
}

std::vector<std::string> names(const std::vector<Located<std::string>>& located) {
  std::vector<std::string> names;
  for (const auto& one : located) names.push_back(one.value);
  return names;
}

TEST(UvSyncTest, ExtrasAndGroupsAndWhatIsNotToBe) {
  const Installed all =
      installed("RUN uv sync --all-extras --no-extra docs --no-extra=test --all-groups --no-group lint");
  EXPECT_EQ(all.all_extras, 2U);
  EXPECT_EQ(all.all_groups, 2U);
  EXPECT_THAT(all.no_extras, ElementsAre("docs", "test"));
  EXPECT_THAT(all.no_groups, ElementsAre("lint"));
  const Installed some = installed("RUN uv sync --extra a --group b --group=$KIND --no-group $OTHER --package c");
  EXPECT_THAT(names(some.extras), ElementsAre("a"));
  EXPECT_THAT(names(some.groups), ElementsAre("b"));
  EXPECT_THAT(names(some.members), ElementsAre("c"));
  EXPECT_THAT(names(some.unread), ElementsAre("--group $KIND", "--no-group $OTHER"));
  EXPECT_FALSE(some.all_extras || some.all_groups || some.alone);
}

TEST(UvSyncTest, DefaultGroupsUnlessTheyAreNotWanted) {
  EXPECT_EQ(installed("RUN uv sync --no-dev").default_groups, 2U);
  EXPECT_FALSE(installed("RUN uv sync --no-default-groups --group web").default_groups);
  EXPECT_FALSE(installed("RUN pip install .").default_groups);
  EXPECT_FALSE(installed("RUN uv sync --no-default-groups\nCMD [\"uv\", \"run\", \"shop\"]").default_groups);
  EXPECT_EQ(installed("CMD [\"uv\", \"run\", \"shop\", \"--no-default-groups\"]").default_groups, 2U);
  // The last one counts.
  EXPECT_EQ(installed("RUN uv sync --no-default-groups\nRUN uv sync").default_groups, 3U);
}

TEST(UvSyncTest, AGroupAlone) {
  const Installed alone = installed("RUN uv sync --only-group web --only-group=mail");
  EXPECT_THAT(names(alone.groups), ElementsAre("web", "mail"));
  EXPECT_EQ(alone.alone, 2U);
  EXPECT_FALSE(alone.default_groups);
  const Installed dev = installed("RUN uv sync --only-dev");
  EXPECT_EQ(dev.alone, 2U);
  EXPECT_THAT(dev.groups, IsEmpty());
  EXPECT_FALSE(installed("RUN uv sync --only-group web\nRUN uv sync --locked").alone);
}

}  // namespace
}  // namespace veneer::owners
