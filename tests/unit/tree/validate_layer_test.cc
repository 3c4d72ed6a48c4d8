#include "tests/support/validate_layer.hh"

#include <gmock/gmock.h>

#include "tests/support/tar_builder.hh"

namespace veneer::tree {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using tests::TarBuilder;

std::vector<std::string> findings(const TarBuilder& layer) {
  const std::string tar = layer.finish();
  MemorySource source(as_bytes(tar));
  return validate_layer(source);
}

TEST(ValidateLayer, SaysNothingAboutAGoodLayer) {
  EXPECT_THAT(findings(TarBuilder()
                           .folder("a")
                           .file("a/.wh.gone", "")
                           .file("a/b")
                           .hard_link("a/c", "a/b")
                           .symlink("a/d", "/etc/passwd")),
              IsEmpty());
}

TEST(ValidateLayer, Case22HardLinkTargetsAreRelativeAndStayInside) {
  EXPECT_THAT(findings(TarBuilder().file("a").hard_link("b", "/a")),
              ElementsAre("'b' is a hard link to the absolute path '/a'"));
  EXPECT_THAT(findings(TarBuilder().file("a").hard_link("b", "../a")), Contains(HasSubstr("part '..'")));
  EXPECT_THAT(findings(TarBuilder().hard_link("b", "lower")), ElementsAre(HasSubstr("does not stand before it")));
  EXPECT_THAT(findings(TarBuilder().file("/a")), ElementsAre("'/a' is an absolute path"));
  EXPECT_THAT(findings(TarBuilder().file("../a")), ElementsAre("'../a' has a part '..'"));
  EXPECT_THAT(findings(TarBuilder().file("./a")), ElementsAre("'./a' begins with './'"));
  EXPECT_THAT(findings(TarBuilder().pax("16 path=../../x\n").file("harmless")),
              ElementsAre("'../../x' has a part '..'"));
}

TEST(ValidateLayer, Case20WhiteoutsWithoutAName) {
  EXPECT_THAT(findings(TarBuilder().folder("d").file("d/.wh.", "")),
              ElementsAre("'d/.wh.' is refused: a whiteout without a name"));
  EXPECT_THAT(findings(TarBuilder().file("a").hard_link(".wh.b", "a")), ElementsAre(HasSubstr("no empty file")));
}

TEST(ValidateLayer, Case19WhiteoutsStandBeforeWhatTakesTheirPlace) {
  EXPECT_THAT(findings(TarBuilder().folder("d").file("d/a").file("d/.wh.a", "")),
              ElementsAre("'d/.wh.a' stands behind what it would hide, 'd/a'"));
  EXPECT_THAT(findings(TarBuilder().folder("d").file("d/a").file("d/.wh..wh..opq", "")),
              ElementsAre("'d/.wh..wh..opq' stands behind what it would hide, 'd/a'"));
  EXPECT_THAT(findings(TarBuilder().folder("d").folder("d/s").file("d/s/x").file("d/.wh.s", "")),
              ElementsAre("'d/.wh.s' stands behind what it would hide, 'd/s/x'"));
  EXPECT_THAT(findings(TarBuilder().folder("d").file("d/.wh..wh..opq", "").file("d/a")), IsEmpty());
}

TEST(ValidateLayer, Case55ParentsAreListed) {
  EXPECT_THAT(findings(TarBuilder().file("p/q")), ElementsAre("'p/q' lies in a folder that is not listed before it"));
}

TEST(ValidateLayer, DoubledNamesAndDamage) {
  EXPECT_THAT(findings(TarBuilder().file("a").file("a")), ElementsAre("'a' occurs twice"));
  std::string tar = TarBuilder().file("a").finish();
  tar[0] = 'b';
  MemorySource damaged(as_bytes(tar));
  EXPECT_THAT(validate_layer(damaged), ElementsAre("'b' has a wrong checksum"));
  MemorySource cut(as_bytes(tar).first(700));
  EXPECT_THAT(validate_layer(cut), Contains(HasSubstr("cut off")));
}

}  // namespace
}  // namespace veneer::tree
