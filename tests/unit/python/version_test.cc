#include "python/version.hh"

#include <gtest/gtest.h>

#include "python/specifier.hh"

namespace veneer::python {
namespace {

std::string normal(const char* text) {
  const auto version = Version::parse(text);
  return version ? version->text() : "none";
}

// The tables of the packaging corpus have every rule; these are the ones that a lock meets.
TEST(Version, NormalForms) {
  EXPECT_EQ(normal(" v1.0-RC.1 "), "1.0rc1");
  EXPECT_EQ(normal("1.0-1"), "1.0.post1");
  EXPECT_EQ(normal("1!2.0a0.dev3+Ubuntu_01"), "1!2.0a0.dev3+ubuntu.1");
  EXPECT_EQ(normal("1.0+"), "none");
  EXPECT_EQ(normal("1..0"), "none");
  EXPECT_EQ(normal(""), "none");
  EXPECT_EQ(normal("99999999999999999999"), "none");
}

TEST(Version, Order) {
  const char* const sorted[] = {"1.dev0", "1a1.dev0", "1a1",          "1b1",     "1rc1", "1",
                                "1+abc",  "1+1",      "1.post0.dev0", "1.post0", "1.1",  "1!0"};
  for (std::size_t i = 0; i + 1 < std::size(sorted); ++i) {
    EXPECT_LT(*Version::parse(sorted[i]), *Version::parse(sorted[i + 1])) << sorted[i];
  }
  EXPECT_EQ(*Version::parse("1.0"), *Version::parse("1.0.0"));
}

TEST(Version, AsFileNamesEscapeThem) {
  EXPECT_TRUE(same_version("1.0+abc", "1.0_abc"));
  EXPECT_TRUE(same_version("1.0", "1.0.0"));
  EXPECT_FALSE(same_version("1.0", "1.1"));
}

TEST(Specifier, Clauses) {
  const auto holds = [](const char* specifier, const char* version) {
    return Specifier::parse(specifier)->matches(*Version::parse(version));
  };
  EXPECT_TRUE(holds("~=1.4.2", "1.4.9"));
  EXPECT_FALSE(holds("~=1.4.2", "1.5"));
  EXPECT_TRUE(holds("==1.4.*", "1.4.post1"));
  EXPECT_FALSE(holds("<1.0", "1.0rc1"));
  EXPECT_FALSE(holds(">1.0", "1.0.post1"));
  EXPECT_TRUE(holds("==1.0", "1.0+local"));
  EXPECT_FALSE(holds("==1.0+other", "1.0+local"));
  for (const char* const bad : {"~=1", ">=1.*", "==1.*.*", "1.0", "=1", "==1.0+a.*", "~=1.0+a"}) {
    EXPECT_FALSE(Specifier::parse(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace veneer::python
