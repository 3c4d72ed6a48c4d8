#include "build/placement.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"

namespace veneer::build {
namespace {

using testing::HasSubstr;

class PlacementTest : public testing::Test {
 protected:
  PlacementTest() {
    base_.put("usr", tree::make_folder(0755, 0, 0, 1));
    base_.put("usr/lib", tree::make_folder(0755, 0, 0, 1));
    base_.put("lib", tree::make_symlink("usr/lib", 0, 0, 1));
    base_.put("srv", tree::make_folder(02775, 7, 8, 99));
    base_.put("etc", tree::make_folder(0755, 0, 0, 1));
    base_.put("etc/passwd",
              tree::make_file(std::make_shared<archive::MemoryContent>(std::string_view("x")), 0644, 0, 0, 1));
    base_.put("opt", tree::make_symlink("/srv/opt", 0, 0, 1));
  }
  tree::FileTree base_;
  Placement placement_{base_};
};

// bazel-contrib/rules_oci#857: a layer that lists lib/ as a folder replaces the base's link.
TEST_F(PlacementTest, WritesBelowTheLinksOfAMergedUsr_case23) {
  EXPECT_EQ(placement_.resolve("/lib/x.so"), "usr/lib/x.so");
  tree::FileTree out;
  placement_.add_parents(out, placement_.resolve("/lib/x.so"));
  EXPECT_TRUE(out.contains("usr/lib"));
  EXPECT_FALSE(out.contains("lib"));
}

TEST_F(PlacementTest, TheLastPartIsNotFollowed) { EXPECT_EQ(placement_.resolve("/lib"), "lib"); }

TEST_F(PlacementTest, ParentsAreTheBasesOwn_case55) {
  tree::FileTree out;
  placement_.add_parents(out, "srv/app/data");
  EXPECT_EQ(out.find("srv")->mode, 02775u);
  EXPECT_EQ(out.find("srv")->gid, 8u);
  EXPECT_EQ(out.find("srv")->mtime, 99);
  EXPECT_EQ(out.find("srv/app")->mode, 0755u);
  EXPECT_EQ(out.find("srv/app")->mtime, fixed_time);
  EXPECT_THAT(placement_.parent_facts("srv/app/data"), HasSubstr("srv 2775 7 8 99\n"));
}

TEST_F(PlacementTest, RefusesPathsThatCannotBe) {
  for (const char* path : {"relative", "/", "", "/a/../b", "/etc/passwd/x", "/opt/x"}) {
    EXPECT_THROW(placement_.resolve(path), Error) << path;
  }
}

}  // namespace
}  // namespace veneer::build
