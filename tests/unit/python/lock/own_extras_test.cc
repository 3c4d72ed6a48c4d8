// A project that asks for itself by its extras.
#include "python/lock/own_extras.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/errors.hh"

namespace veneer::python {
namespace {

DeclaredByExtra declared(const std::map<std::string, std::vector<std::string>>& extras) {
  DeclaredByExtra declared;
  for (const auto& [extra, texts] : extras) declared[extra] = declared_in(texts, {}, extra);
  return declared;
}

TEST(OwnExtras, AreReplacedByWhatTheyAskFor) {
  const auto flat =
      without_own_extras(declared({{"all", {"shop[fast]; python_version < '3.12'"}}, {"fast", {"one"}}}), "shop");
  ASSERT_EQ(flat.size(), 2U);
  EXPECT_EQ(flat[0].name, "one");
  EXPECT_EQ(flat[1].name, "one");
  EXPECT_GT(flat[0].all.size(), flat[1].all.size());  // by the way of "all" under its conditions, too
}

TEST(OwnExtras, ThatNameEachOtherInTooManyWaysAreNamed) {
  std::map<std::string, std::vector<std::string>> extras;
  constexpr int depth = 18;  // 2^18 ways
  for (int i = 0; i < depth; ++i) {
    extras[fmt::format("e{}", i)] = {fmt::format("shop[e{}]; python_version < '3.{}'", i + 1, 10 + i),
                                     fmt::format("shop[e{}]; python_version >= '3.{}'", i + 1, 10 + i)};
  }
  extras[fmt::format("e{}", depth)] = {"one"};
  EXPECT_THAT(tests::refusal([&] { without_own_extras(declared(extras), "shop"); }),
              testing::HasSubstr("the extras of shop name each other in more than 20000 ways"));
}

}  // namespace
}  // namespace veneer::python
