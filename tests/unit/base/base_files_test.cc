#include "base/base_files.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "tree/read_text.hh"

namespace veneer::base {
namespace {

using testing::ElementsAre;

tree::FileTree some_files() {
  tree::FileTree files;
  files.put("bin", tree::make_symlink("usr/bin", 0, 0, 5));
  files.put("etc", tree::make_folder(0755, 0, 0, 7));
  files.put("usr/bin/tool",
            tree::make_file(std::make_shared<archive::MemoryContent>(std::string(9000, 'x')), 0755, 1, 2, 9));
  files.put("etc/passwd", tree::make_file(std::make_shared<archive::MemoryContent>("a:\"\\\n\tb\n"), 0644, 0, 42, 8));
  tree::Inode odd = *tree::make_folder(0755, 0, 0, 1);
  odd.xattrs["user.note"] = "x";
  files.put("odd", std::make_shared<tree::Inode>(odd));
  return files;
}

/// What a build may ask.
std::string answers(const BaseFiles& files) {
  const auto real = files.resolve("bin/tool");
  return tree::read_text(files, "etc/passwd", 1000) + "|" + real.value_or("none") + "|" +
         std::to_string(files.inode("usr/bin/tool")->content->size()) + "|" +
         files.resolve("home/app/x").value_or("none") + "|" + files.locate("home/app/x");
}

TEST(BaseFiles, WhatWasAskedSufficesForTheSameQuestions) {
  const BaseFiles whole(some_files);
  EXPECT_FALSE(whole.is_read());
  const std::string expected = answers(whole);
  EXPECT_TRUE(whole.is_read());
  EXPECT_EQ(expected, "a:\"\\\n\tb\n|usr/bin/tool|9000|none|home/app/x");
  const std::vector<LockedFile> asked = whole.asked();
  EXPECT_THAT(asked,
              ElementsAre(LockedFile{"bin", "link 777 0 0 5 usr/bin"}, LockedFile{"etc", "folder 755 0 0 7"},
                          LockedFile{"etc/passwd", "file 644 0 42 8 8", "a:\"\\\n\tb\n"}, LockedFile{"home", "absent"},
                          LockedFile{"usr", "folder 755 0 0 0"}, LockedFile{"usr/bin", "folder 755 0 0 0"},
                          LockedFile{"usr/bin/tool", "file 755 1 2 9 9000"}));

  const BaseFiles known([]() -> tree::FileTree { throw Error(ErrorKind::failed, "the layers are read"); }, asked);
  EXPECT_EQ(answers(known), expected);
  EXPECT_EQ(known.asked(), asked);
  EXPECT_FALSE(known.is_read());
}

TEST(BaseFiles, AnotherQuestionReadsTheLayers) {
  const std::vector<LockedFile> rows = {{"etc", "folder 700 0 0 1"}, {"usr/bin/tool", "file 755 1 2 9 9000"}};
  int times = 0;
  const auto read = [&] {
    ++times;
    return some_files();
  };
  const BaseFiles known(read, rows);
  EXPECT_EQ(known.inode("etc")->mode, 0700u);
  EXPECT_EQ(times, 0);
  EXPECT_NE(known.inode("etc/passwd"), nullptr);
  EXPECT_EQ(times, 1);
  EXPECT_EQ(known.inode("etc")->mode, 0755u) << "what was read counts";
  const BaseFiles other(read, rows);
  EXPECT_EQ(tree::read_text(other, "usr/bin/tool", 10'000), std::string(9000, 'x'));  // its text is in no lock
  EXPECT_EQ(times, 2);
}

TEST(BaseFiles, WhatALockCannotSayIsNotSaid) {
  const BaseFiles files(some_files);
  EXPECT_NE(files.inode("odd"), nullptr);
  EXPECT_TRUE(files.asked().empty());
  EXPECT_EQ(locked_text(archive::MemoryContent(std::string(4000, 'x'))), std::nullopt);
  EXPECT_EQ(locked_text(archive::MemoryContent("a\x01")), std::nullopt);
}

TEST(BaseFiles, RefusesRowsThatAreNone) {
  for (const char* is : {"", "file", "pipe 644 0 0 1", "folder 9 0 0 1", "file 644 0 0 1", "file 644 0 0 1 x"}) {
    EXPECT_THROW(check_locked_file({"a", is}), Error) << is;
  }
  EXPECT_THROW(check_locked_file({"a", "file 644 0 0 1 3", "four"}), Error);
  EXPECT_NO_THROW(check_locked_file({"a", "absent"}));
}

}  // namespace
}  // namespace veneer::base
