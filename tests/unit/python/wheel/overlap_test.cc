#include "python/wheel/overlap.hh"

#include <gmock/gmock.h>

#include "foundation/error.hh"
#include "python/wheel/install.hh"
#include "tests/support/zip_builder.hh"

namespace veneer::python {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;
using tests::WheelBuilder;

Claims claims(const std::string& name, const std::vector<std::pair<std::string, std::string>>& files) {
  WheelBuilder builder;
  builder.name = name;
  for (const auto& [path, data] : files) builder.add(path, data);
  const Wheel wheel = open_wheel(builder.build(), builder.file_name());
  return claims_of(wheel.name, install(wheel, {}));
}

constexpr std::string_view site = "app/.venv/lib/python3.11/site-packages/";

// astral-sh/uv#10564: two wheels own one path.
TEST(FindOverlaps, Case14LetsEqualFilesPass) {
  const std::vector<Claims> all = {claims("alpha", {{"CHANGES", "x"}, {"ns/__init__.py", ""}}),
                                   claims("beta", {{"CHANGES", "x"}, {"ns/__init__.py", ""}})};
  EXPECT_THAT(find_overlaps(all), IsEmpty());
}

TEST(FindOverlaps, Case14LetsTheGreatestNameWinWhateverTheOrder) {
  const Claims alpha = claims("alpha", {{"CHANGES", "x"}});
  const Claims beta = claims("beta", {{"CHANGES", "y"}});
  const Claims gamma = claims("gamma", {{"CHANGES", "z"}});
  const std::string path = std::string(site) + "CHANGES";
  const auto expected = ElementsAre(PathOverlap{path, "gamma", "beta"}, PathOverlap{path, "gamma", "alpha"});
  EXPECT_THAT(find_overlaps(std::vector<Claims>{alpha, beta, gamma}), expected);
  EXPECT_THAT(find_overlaps(std::vector<Claims>{gamma, alpha, beta}), expected);
  const std::vector<Finding> findings = overlap_findings(find_overlaps(std::vector<Claims>{alpha, beta}));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].message, "alpha and beta install different files as " + path + "; that of beta is used");
}

TEST(FindOverlaps, Case14RefusesAFileAgainstAFolder) {
  const std::vector<Claims> all = {claims("alpha", {{"multipart.py", "x"}, {"multipart", "x"}}),
                                   claims("beta", {{"multipart/__init__.py", "x"}})};
  EXPECT_THAT([&] { find_overlaps(all); },
              ThrowsMessage<Error>(AllOf(HasSubstr("multipart is a file of alpha and a folder of beta"))));
}

TEST(FindOverlaps, RefusesOneNameTwice) {
  const std::vector<Claims> all = {claims("alpha", {}), claims("alpha", {})};
  EXPECT_THAT([&] { find_overlaps(all); }, ThrowsMessage<Error>(HasSubstr("alpha would be installed twice")));
}

TEST(Claims, AreReadBackAsWritten) {
  Claims written = claims("alpha", {{"a.py", "x"}, {"b,\"c", "y"}});
  written.files.push_back({"z", 0777, "link:target"});
  EXPECT_EQ(claims_from_text(claims_to_text(written)), written);
  for (const std::string_view bad :
       {"", "{}", "[]", R"({"name":"a","files":[["p",1]]})", R"({"name":"a","files":[["p",-1,"x"]]})",
        R"({"name":"a","files":[["p",99999,"x"]]})"}) {
    EXPECT_THROW(claims_from_text(bad), Error) << bad;
  }
}

TEST(ClaimsOf, HashesFilesThatRecordDoesNotVouchFor) {
  WheelBuilder builder = WheelBuilder().add("a.py", "x");
  const auto claim_of_a = [&] {
    const Claims all = claims_of("pkg", install(open_wheel(builder.build(), builder.file_name()), {}));
    for (const Claim& claim : all.files) {
      if (claim.path.ends_with("/a.py")) return claim;
    }
    return Claim{};
  };
  const Claim vouched = claim_of_a();
  builder.record = "pkg-1.0.dist-info/RECORD,,\n";
  EXPECT_EQ(claim_of_a(), vouched);
  EXPECT_EQ(vouched.content, "sha256:" + sha256(std::string_view("x")).hex());
  EXPECT_EQ(vouched.mode, 0644U);
}

}  // namespace
}  // namespace veneer::python
