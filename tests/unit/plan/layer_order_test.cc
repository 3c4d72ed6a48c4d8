#include "plan/layer_order.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace veneer::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST(LayerOrder, KeepsWhatIsWantedWhereNothingForbidsIt) {
  EXPECT_THAT(ordered({2, 0, 1}, LayersBelow(3)), ElementsAre(2, 0, 1));
  EXPECT_THAT(ordered({2, 0, 1}, {{}, {}, {1}}), ElementsAre(0, 1, 2));
  EXPECT_THAT(ordered({0, 1, 2, 3}, {{3}, {}, {}, {2}}), ElementsAre(1, 2, 3, 0));
}

TEST(LayerOrder, CountsTheLowestThatStandWell) {
  EXPECT_EQ(in_order({0, 1, 2}, LayersBelow(3)), 3u);
  EXPECT_EQ(in_order({0, 1, 2}, {{}, {2}, {}}), 1u);
  EXPECT_EQ(in_order({0, 1, 2}, {{1}, {}, {}}), 0u);
}

TEST(LayerOrder, FindsACircle) {
  EXPECT_THAT(find_circle({}), IsEmpty());
  EXPECT_THAT(find_circle({{1, 2}, {2}, {}}), IsEmpty());
  EXPECT_THAT(find_circle({{1}, {0}}), UnorderedElementsAre(0, 1));
  // The way into it is no part of it.
  EXPECT_THAT(find_circle({{1}, {2}, {3}, {1}}), UnorderedElementsAre(1, 2, 3));
}

}  // namespace
}  // namespace veneer::plan
