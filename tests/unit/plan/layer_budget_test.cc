#include "plan/layer_budget.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/layer_limit.hh"
#include "tests/support/errors.hh"

namespace veneer::plan {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// Of an image with an environment and an application.
std::size_t shared(std::size_t base, std::size_t distributions, std::size_t at_most = 60) {
  return share_layers({.base = base, .own = 2, .distributions = distributions, .dependency_layers = at_most});
}

std::string refusal(std::size_t base, std::size_t distributions) {
  const Error error = tests::error_of([&] { shared(base, distributions); });
  EXPECT_EQ(error.kind(), ErrorKind::refused);
  return error.message() + " | " + error.hint();
}

TEST(LayerBudget, GivesWhatIsAskedForAsFarAsTheBaseLeavesIt) {
  EXPECT_EQ(shared(2, 100), 60u);
  EXPECT_EQ(shared(2, 100, 121), 121u);
  EXPECT_EQ(shared(2, 100, 125), 121u);
  EXPECT_EQ(shared(63, 100), 60u);
  EXPECT_EQ(shared(64, 100), 59u);
  EXPECT_EQ(shared(120, 100), 3u);
  EXPECT_EQ(shared(122, 100), 1u);
}

TEST(LayerBudget, NeedsNoneForNothing) {
  EXPECT_EQ(shared(2, 0), 0u);
  EXPECT_EQ(shared(123, 0), 0u);
  EXPECT_EQ(share_layers({.base = mountable_layers}), 0u);
}

TEST(LayerBudget, SaysWhatABaseLeaves) {
  EXPECT_THAT(refusal(123, 1), AllOf(HasSubstr("the base has 123 of the 125 layers"), HasSubstr("2 are left"),
                                     HasSubstr("needs 3"), HasSubstr("a base of fewer layers")));
  EXPECT_THAT(refusal(124, 1), AllOf(HasSubstr("1 is left"), HasSubstr("needs 3")));
  EXPECT_THAT(refusal(124, 0), AllOf(HasSubstr("1 is left"), HasSubstr("needs 2")));
  EXPECT_THAT(refusal(126, 0), AllOf(HasSubstr("the base has 126 layers"), HasSubstr("a base of fewer layers")));
}

TEST(ShareLayers, AnInterpreterTakesOne) {
  EXPECT_EQ(share_layers({.base = 100, .interpreter = 1, .own = 2, .distributions = 50}),
            share_layers({.base = 101, .own = 2, .distributions = 50}));
  EXPECT_THROW(share_layers({.base = mountable_layers - 2, .interpreter = 1, .own = 2}), Error);
}

}  // namespace
}  // namespace veneer::plan
