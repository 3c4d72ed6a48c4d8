#include "build/system_needs.hh"

#include <gmock/gmock.h>

namespace veneer::build {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

tree::FileTree base_with(const std::vector<std::string>& files) {
  tree::FileTree base;
  for (const std::string& path : files) {
    base.put(path, tree::make_file(std::make_shared<archive::MemoryContent>("x"), 0755, 0, 0, 0));
  }
  return base;
}

DistributionNeeds linked(std::string name, std::vector<std::string> libraries, std::vector<std::string> brings = {}) {
  return {std::move(name), {std::move(libraries), std::move(brings), {}}};
}

DistributionNeeds asking(std::string name, std::vector<std::string> asks_for) {
  return {std::move(name), {{}, {}, std::move(asks_for)}};
}

TEST(SystemNeeds, ArePackagesOfLibrariesThatNobodyBrings) {
  const tree::FileTree base = base_with({"usr/lib/x86_64-linux-gnu/libz.so.1", "opt/x/libpq.so.5"});
  const std::vector<DistributionNeeds> all = {
      linked("cv", {"libGL.so.1", "libc.so.6", "libm.so.6", "libz.so.1", "libcuda.so.1"}),
      linked("other", {"libGL.so.1", "libgomp.so.1", "libodd.so.3"}),
      linked("pg", {"libpq.so.5"}),
      linked("bundle", {}, {"libgomp.so.1"}),
  };
  const SystemNeeds needs = system_needs(all, base, "bookworm", {}, {});
  EXPECT_THAT(needs.needed, ElementsAre(PackageReason{"libgl1", "cv needs libGL.so.1"},
                                        PackageReason{"libpq5", "pg needs libpq.so.5"}));
  EXPECT_THAT(needs.proposed, IsEmpty());
  EXPECT_THAT(needs.unknown, ElementsAre("other needs libodd.so.3"));
  EXPECT_THAT(system_needs(all, base, "bookworm", {"libpq5=15.1"}, {"libgl1"}).needed, IsEmpty());
  EXPECT_THAT(system_needs(all, base, "", {}, {}).unknown,
              ElementsAre("cv needs libGL.so.1", "other needs libGL.so.1", "other needs libodd.so.3"))
      << "what is somewhere in a base that is no Debian may be found there";
}

TEST(SystemNeeds, OfTheRunTimeAreProposed) {
  const std::vector<DistributionNeeds> all = {
      asking("psycopg", {"pq", "user32"}),
      asking("soundfile", {"sndfile"}),
      asking("pydub", {}),
      asking("python-magic", {"magic"}),
      asking("pg", {"libz.so.1"}),
      linked("data", {}, {"libsndfile_x86_64.so"}),
  };
  const tree::FileTree base = base_with({"usr/lib/x86_64-linux-gnu/libz.so.1"});
  EXPECT_THAT(system_needs(all, base, "trixie", {}, {}).proposed,
              ElementsAre(PackageReason{"ffmpeg", "pydub runs ffmpeg"},
                          PackageReason{"libmagic1t64", "python-magic asks for libmagic.so.1"},
                          PackageReason{"libpq5", "psycopg asks for libpq.so.5"}));
  EXPECT_THAT(system_needs(all, base, "trixie", {"ffmpeg"}, {"libmagic1t64", "libpq5"}).proposed, IsEmpty());
  EXPECT_THAT(system_needs(all, base_with({"usr/bin/ffmpeg"}), "", {}, {}).proposed, IsEmpty());
}

// With psycopg-binary in the selection, psycopg finds its libpq there.
TEST(SystemNeeds, AreNotWhatAnotherWheelBundles) {
  const std::vector<DistributionNeeds> all = {asking("psycopg", {"pq"}),
                                              linked("psycopg-binary", {}, {"libpq-9b38f5e3.so.5.17"})};
  EXPECT_THAT(system_needs(all, {}, "trixie", {}, {}).proposed, IsEmpty());
}

}  // namespace
}  // namespace veneer::build
