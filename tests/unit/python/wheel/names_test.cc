// Names of wheels and of their members.
#include <gmock/gmock.h>

#include "foundation/error.hh"
#include "python/name.hh"
#include "python/version.hh"
#include "python/wheel/member_path.hh"
#include "python/wheel_file_name.hh"

namespace veneer::python {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(ParseWheelFileName, ReadsTheParts) {
  const WheelFileName plain = parse_wheel_file_name("My_Pkg-1.0-py2.py3-none-any.whl");
  EXPECT_EQ(plain.name, "My_Pkg");
  EXPECT_EQ(plain.version, "1.0");
  EXPECT_EQ(plain.build, "");
  EXPECT_THAT(plain.tags, ElementsAre("py2-none-any", "py3-none-any"));
  const WheelFileName built = parse_wheel_file_name("pkg-1.0+local.1-2b-cp311-abi3-manylinux1_x86_64.whl");
  EXPECT_EQ(built.version, "1.0+local.1");
  EXPECT_EQ(built.build, "2b");
  EXPECT_THAT(built.tags, ElementsAre("cp311-abi3-manylinux1_x86_64"));
}

TEST(ParseWheelFileName, RefusesWhatIsNone) {
  for (const std::string_view bad :
       {"pkg-1.0.tar.gz", "pkg-1.0-py3-none.whl", "-1.0-py3-none-any.whl", "pkg--py3-none-any.whl",
        "pkg-x-py3-none-any.whl", "p/pkg-1.0-py3-none-any.whl", "pkg-1.0-py3-none-.whl",
        "pkg-1.0-py3..py2-none-any.whl", "_pkg-1.0-py3-none-any.whl", "p kg-1.0-py3-none-any.whl", ".whl", ""}) {
    EXPECT_THROW(parse_wheel_file_name(bad), Error) << bad;
  }
}

TEST(ParseWheelFileName, RecognisesVariantWheels) {
  const auto parse = [](std::string_view name) { return [name] { parse_wheel_file_name(name); }; };
  EXPECT_THAT(parse("pkg-1.0-py3-none-any-x8664v3.whl"), ThrowsMessage<Error>(HasSubstr("variant wheel")));
  EXPECT_THAT(parse("pkg-1.0-1-cp311-cp311-linux_x86_64-cu128.whl"), ThrowsMessage<Error>(HasSubstr("\"cu128\"")));
}

TEST(NormalizedName, FollowsPep503) {
  EXPECT_EQ(normalised_name("My._-Pkg.x"), "my-pkg-x");
  EXPECT_EQ(normalised_name("plain"), "plain");
}

TEST(SameVersion, ComparesAsPep440Does) {
  for (const auto& [left, right] :
       std::vector<std::pair<std::string_view, std::string_view>>{{"1.0", "1"},
                                                                  {"1.0.0", "v1.0"},
                                                                  {"1.0RC1", "1.0c1"},
                                                                  {"1.0-alpha.1", "1.0a1"},
                                                                  {"1.0.post1", "1.0-1"},
                                                                  {"1.0rev1", "1.0.post1"},
                                                                  {"1.0.dev", "1.0dev0"},
                                                                  {"1.0+Abc-1", "1.0+abc.1"},
                                                                  {"0!1.0", "1.0"},
                                                                  {"2024.01.05", "2024.1.5"},
                                                                  {"1.0preview1", "1.0rc1"},
                                                                  {"1.0a1.dev2", "1.0a1dev2"},
                                                                  {"1.0+abc", "1.0_abc"},
                                                                  {"1.0+1", "1.0_1"},
                                                                  {"1.0+dfsg1", "1.0_dfsg1"}}) {
    EXPECT_TRUE(same_version(left, right)) << left << " " << right;
    EXPECT_TRUE(same_version(right, left)) << left << " " << right;
  }
  for (const auto& [left, right] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"1.0", "1.1"}, {"1.0", "1.0+x"}, {"1!1.0", "1.0"}, {"1.0a1", "1.0b1"}, {"1.0", "1.0.post0"}, {"x", "x"}}) {
    EXPECT_FALSE(same_version(left, right)) << left << " " << right;
  }
}

TEST(Version, RefusesOtherSchemes) {
  for (const std::string_view bad : {"", "x", "1.0.x", "1..0", "2004d", "1.0+", "1.0 1", "1.0+a..b", "french toast"}) {
    EXPECT_FALSE(Version::parse(bad)) << bad;
  }
}

TEST(ReadMemberPath, CleansWhatIsHarmless) {
  EXPECT_EQ(read_member_path("a/b.py").path, "a/b.py");
  EXPECT_TRUE(read_member_path("a/b.py").as_written);
  EXPECT_EQ(read_member_path("folder/").path, "folder");
  EXPECT_EQ(read_member_path("./a/./b//c").path, "a/b/c");
  EXPECT_FALSE(read_member_path("./a/./b//c").as_written);
  EXPECT_EQ(read_member_path("..\\evil").path, "..\\evil");
}

TEST(ReadMemberPath, RefusesWhatLeadsAway) {
  using namespace std::string_literals;
  for (const std::string& bad : {"/a"s, "../a"s, "a/../../b"s, "a/.."s, ""s, "."s, "/"s, "a\nb"s, "a\0b"s, "a/.wh.b"s,
                                 std::string(256, 'x'), "a/" + std::string(256, 'x') + "/b"}) {
    EXPECT_THROW(read_member_path(bad), Error) << bad;
  }
  EXPECT_EQ(read_member_path(std::string(255, 'x')).path.size(), 255U);
}

TEST(RelativePath, ClimbsToTheCommonFolder) {
  const std::string_view site = "lib/python3.11/site-packages";
  EXPECT_EQ(relative_path(site, "bin/x"), "../../../bin/x");
  EXPECT_EQ(relative_path(site, "lib/python3.11/site-packages/pkg/a.py"), "pkg/a.py");
  EXPECT_EQ(relative_path(site, "lib/x"), "../../x");
  EXPECT_EQ(relative_path(site, "share/doc/x"), "../../../share/doc/x");
}

}  // namespace
}  // namespace veneer::python
