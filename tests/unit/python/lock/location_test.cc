#include "python/lock/location.hh"

#include <gtest/gtest.h>

namespace veneer::python {
namespace {

TEST(Location, Git) {
  const GitLocation git = split_git_location("https://host.example/repo?rev=main&subdirectory=a%2Fb#0123");
  EXPECT_EQ(git.repository, "https://host.example/repo");
  EXPECT_EQ(git.subdirectory, "a/b");
  EXPECT_EQ(git.commit, "0123");
}

TEST(Location, FileNames) {
  EXPECT_EQ(file_name_of("https://h.example/x/a%2B1-py3-none-any.whl?token=1#sha256=0"), "a+1-py3-none-any.whl");
  EXPECT_EQ(file_name_of("wheels/a-1%2B2-py3-none-any.whl"), "a-1%2B2-py3-none-any.whl");
}

TEST(Location, Joining) {
  EXPECT_EQ(join_location("wheels", "a.whl"), "wheels/a.whl");
  EXPECT_EQ(join_location("wheels", "/b/a.whl"), "/b/a.whl");
  EXPECT_EQ(join_location("wheels", "https://h.example/a.whl"), "https://h.example/a.whl");
}

TEST(Location, Schemes) {
  EXPECT_EQ(scheme_of("HTTPS://h.example/a"), "https");
  EXPECT_EQ(scheme_of("git+https://h.example/a"), "git+https");
  for (const char* text : {"", "a", "/a", "./a://b", "a:b", "://a", "http:/a"}) EXPECT_EQ(scheme_of(text), "") << text;
  EXPECT_TRUE(is_on_a_server("Http://h.example"));
  EXPECT_FALSE(is_on_a_server("file:///a"));
}

TEST(Location, PercentDecoding) {
  EXPECT_EQ(percent_decoded("a%20b"), "a b");
  EXPECT_EQ(percent_decoded("a%2"), "a%2");
  EXPECT_EQ(percent_decoded("a%zz"), "a%zz");
}

}  // namespace
}  // namespace veneer::python
