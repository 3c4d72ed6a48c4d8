#include "foundation/text.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace veneer {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SplitWords, LeavesOutEmptyOnes) {
  EXPECT_THAT(split_words(" a  b\tc ", " \t"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(split_words("", " "), IsEmpty());
  EXPECT_THAT(split_words(std::string_view("a\0b\0", 4), nul), ElementsAre("a", "b"));
}

TEST(SplitFields, KeepsEmptyOnes) {
  EXPECT_THAT(split_fields("a::b:", ':'), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(split_fields("", ':'), ElementsAre(""));
}

}  // namespace
}  // namespace veneer
