#include "python/tag.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/python/lock/some_target.hh"

namespace veneer::python {
namespace {

using testing::Contains;
using testing::Not;

TEST(Tag, GlibcDecidesManylinux) {
  const auto platforms = supported_platforms(some_target());
  EXPECT_EQ(platforms.front(), "manylinux_2_36_x86_64");
  EXPECT_THAT(platforms, Contains("manylinux2014_x86_64"));
  EXPECT_THAT(platforms, Contains("manylinux1_x86_64"));
  EXPECT_THAT(platforms, Contains("linux_x86_64"));
  EXPECT_THAT(platforms, Not(Contains("manylinux_2_37_x86_64")));
}

TEST(Tag, MuslHasItsOwn) {
  Target target = some_target();
  target.libc = {LibcKind::musl, 1, 2};
  const auto platforms = supported_platforms(target);
  EXPECT_THAT(platforms, Contains("musllinux_1_1_x86_64"));
  EXPECT_THAT(platforms, Not(Contains("manylinux2014_x86_64")));
}

// PEP 703
TEST(Tag, AFreeThreadedPythonTakesNoStableAbi) {
  Target target = some_target();
  target.minor = 13;
  target.full_version = "3.13.1";
  target.threading = Threading::free_threaded;
  const TagRanks ranks(target);
  EXPECT_TRUE(ranks.best({"cp313-cp313t-manylinux_2_28_x86_64"}).has_value());
  EXPECT_FALSE(ranks.best({"cp313-cp313-manylinux_2_28_x86_64"}).has_value());
  EXPECT_FALSE(ranks.best({"cp39-abi3-manylinux_2_28_x86_64"}).has_value());
  EXPECT_TRUE(ranks.best({"py3-none-any"}).has_value());
}

TEST(Tag, TheBestOfAWheelsTagsCounts) {
  const TagRanks ranks(some_target());
  EXPECT_LT(*ranks.best({"cp312-cp312-manylinux_2_17_x86_64"}), *ranks.best({"cp39-abi3-manylinux_2_17_x86_64"}));
  EXPECT_LT(*ranks.best({"cp39-abi3-manylinux_2_17_x86_64"}), *ranks.best({"py3-none-any", "py2-none-any"}));
  // PEP 738 and 730: recognised as tags, of no use here.
  EXPECT_FALSE(ranks.best({"cp313-cp313-android_21_arm64_v8a", "cp313-cp313-ios_13_0_arm64_iphoneos"}).has_value());
}

}  // namespace
}  // namespace veneer::python
