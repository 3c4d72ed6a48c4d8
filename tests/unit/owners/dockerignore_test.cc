#include "owners/dockerignore.hh"

#include <gmock/gmock.h>

#include "foundation/error.hh"

namespace veneer::owners {
namespace {

using testing::HasSubstr;

bool excludes(std::string_view text, std::string_view path) { return DockerIgnore::parse(text).excludes(path); }

TEST(DockerIgnore, LeavesNothingOutWithoutPatterns) {
  EXPECT_FALSE(DockerIgnore().excludes("a"));
  EXPECT_TRUE(DockerIgnore::parse("# all\n\n  \n").empty());
}

TEST(DockerIgnore, TheLastPatternThatFitsDecides) {
  constexpr std::string_view text = "*\n!src\nsrc/**/*.csv\n!src/keep.csv\n";
  EXPECT_TRUE(excludes(text, "README.md"));
  EXPECT_FALSE(excludes(text, "src/app.py"));
  EXPECT_TRUE(excludes(text, "src/data/a.csv"));
  EXPECT_FALSE(excludes(text, "src/keep.csv"));
}

TEST(DockerIgnore, ReadsLinesAsDockerDoes) {
  EXPECT_TRUE(excludes("\xEF\xBB\xBF/docs/\r\n", "docs/a.md"));
  EXPECT_TRUE(excludes(" \xC2\xA0 a b \t\n", "a b/c"));
  EXPECT_FALSE(excludes("*\n! keep\n", "keep"));
  EXPECT_FALSE(excludes("__pycache__", "src/__pycache__/a.pyc"));  // of the top only
  EXPECT_TRUE(excludes("docs//./img/../img", "docs/img/a.png"));
}

/// Docker makes regular expressions of some patterns, and what stands in one means what it means there.
TEST(DockerIgnore, ReadsWhatStandsInARegularExpression) {
  EXPECT_TRUE(excludes("\\d?", "4x"));
  EXPECT_FALSE(excludes("\\d?", "dx"));
  EXPECT_TRUE(excludes("[\\w]*", "b"));
  EXPECT_FALSE(excludes("a^b*", "a^b"));
  EXPECT_TRUE(excludes("a^b", "a^b"));
  EXPECT_TRUE(excludes("[a*x]", "aa/x]"));  // "[a[^/]*x]"
  EXPECT_TRUE(excludes("**file", "myfile"));
  EXPECT_TRUE(excludes("\xC3\xA9?", "\xC3\xA9\xC3\xB6/a"));
}

TEST(DockerIgnore, RefusesWithTheLine) {
  for (const std::string text : {"!", "[", "a[", "[x-]", "[b-a]", "x\\", "\\q", "[*[a-]", "[\\q]"}) {
    try {
      DockerIgnore::parse("ok\n" + text + "\n");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::refused);
      EXPECT_THAT(error.what(), HasSubstr("line 2")) << text;
    }
  }
  EXPECT_THROW(DockerIgnore::parse(std::string(5000, 'a')), Error);
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "a\n";
  EXPECT_THROW(DockerIgnore::parse(many), Error);
}

TEST(DockerIgnore, NoPatternTakesLong) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "**/*a";
  EXPECT_FALSE(DockerIgnore::parse(pattern).excludes(std::string(2000, 'a') + "b"));
}

}  // namespace
}  // namespace veneer::owners
