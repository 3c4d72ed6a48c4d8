#include "registry/challenge.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace veneer::registry {
namespace {

using Parameters = std::map<std::string, std::string>;

TEST(Challenge, OfATokenService) {
  const auto challenges = read_challenges(
      "Bearer realm=\"https://auth.example/token\",service=\"registry.example\",scope=\"repository:a/b:pull,push\"");
  ASSERT_EQ(challenges.size(), 1u);
  EXPECT_EQ(challenges[0].scheme, "bearer");
  EXPECT_EQ(challenges[0].parameter("realm"), "https://auth.example/token");
  EXPECT_EQ(challenges[0].parameter("scope"), "repository:a/b:pull,push");
  EXPECT_EQ(challenges[0].parameter("none"), "");
}

TEST(Challenge, FormsOfTheSpecification) {
  struct Case {
    std::string_view header;
    std::vector<std::pair<std::string, Parameters>> wanted;
  };
  for (const Case& one : std::vector<Case>{
           {"Basic realm=\"a \\\"b\\\", c\"", {{"basic", {{"realm", "a \"b\", c"}}}}},
           {"BASIC Realm=plain , Charset = \"UTF-8\"", {{"basic", {{"realm", "plain"}, {"charset", "UTF-8"}}}}},
           {"Basic", {{"basic", {}}}},
           {"Basic realm=a, Bearer realm=b, service=c",
            {{"basic", {{"realm", "a"}}}, {"bearer", {{"realm", "b"}, {"service", "c"}}}}},
           {"Negotiate a87421000492aa874209af8bc028==, Basic realm=x",
            {{"negotiate", {}}, {"basic", {{"realm", "x"}}}}},
           {"Negotiate, Basic realm=x", {{"negotiate", {}}, {"basic", {{"realm", "x"}}}}},
           {" , ,Bearer realm=a,, realm=b", {{"bearer", {{"realm", "a"}}}}},
           {"Bearer realm=\"open", {{"bearer", {}}}},
           {"Bearer realm=", {{"bearer", {}}}},
           {"=x", {}},
           {"", {}}}) {
    std::vector<std::pair<std::string, Parameters>> found;
    for (const Challenge& challenge : read_challenges(one.header))
      found.emplace_back(challenge.scheme, challenge.parameters);
    EXPECT_EQ(found, one.wanted) << one.header;
  }
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "Basic,";
  EXPECT_EQ(read_challenges(many).size(), 16u);
}

}  // namespace
}  // namespace veneer::registry
