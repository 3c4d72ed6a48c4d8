#include "base/known_libraries.hh"

#include <gmock/gmock.h>

namespace veneer::base {
namespace {

TEST(KnownLibraries, AreInAPackageOfEachSuite) {
  EXPECT_EQ(package_of_library("bookworm", "libpq.so.5"), "libpq5");
  EXPECT_EQ(package_of_library("forky", "libpq.so.5"), "libpq5");
  EXPECT_EQ(package_of_library("bookworm", "libglib-2.0.so.0"), "libglib2.0-0");
  EXPECT_EQ(package_of_library("trixie", "libglib-2.0.so.0"), "libglib2.0-0t64");
  EXPECT_EQ(package_of_library("bookworm", "libgdal.so.36"), std::nullopt);
  EXPECT_EQ(package_of_library("trixie", "libgdal.so.36"), "libgdal36");
  EXPECT_EQ(package_of_library("noble", "libpq.so.5"), std::nullopt);
  EXPECT_EQ(package_of_library("", "libpq.so.5"), std::nullopt);
  EXPECT_EQ(package_of_library("trixie", "libpq.so"), std::nullopt);
}

TEST(KnownLibraries, AreFoundByWhatProgramsAskFor) {
  for (const char* name : {"pq", "libpq", "libpq.so", "libpq.so.5"}) {
    EXPECT_EQ(soname_asked_for("trixie", name), "libpq.so.5") << name;
  }
  EXPECT_EQ(soname_asked_for("trixie", "pango-1.0"), "libpango-1.0.so.0");
  EXPECT_EQ(soname_asked_for("bookworm", "MagickWand-7.Q16"), std::nullopt);
  EXPECT_EQ(soname_asked_for("trixie", "p"), std::nullopt);
  EXPECT_EQ(soname_asked_for("trixie", "user32"), std::nullopt);
}

TEST(UsedBy, IsWhatWheelsDoNotShow) {
  const std::vector<UsedBySystem> pydub = used_by("pydub");
  ASSERT_EQ(pydub.size(), 1U);
  EXPECT_EQ(pydub[0].program, "ffmpeg");
  EXPECT_EQ(pydub[0].package, "ffmpeg");
  ASSERT_EQ(used_by("sounddevice").size(), 1U);
  EXPECT_EQ(used_by("sounddevice")[0].library, "portaudio");
  EXPECT_TRUE(used_by("pydu").empty());
}

}  // namespace
}  // namespace veneer::base
