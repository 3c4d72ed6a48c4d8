#include "build/application.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "foundation/error.hh"
#include "foundation/file.hh"

namespace veneer::build {
namespace {

namespace fs = std::filesystem;

class ApplicationTest : public testing::Test {
 protected:
  ApplicationTest() {
    project_.folder = folder_.path();
    project_.image.files = {{"main.py", "/app/main.py", std::nullopt}, {"scripts", "/app/scripts", std::nullopt}};
    fs::create_directories(folder_.path() / "scripts" / "__pycache__");
    write_text_file(folder_.path() / "main.py", "print()\n");
    write_text_file(folder_.path() / "scripts" / "run.sh", "#!/bin/sh\n", 0750);
    write_text_file(folder_.path() / "scripts" / "__pycache__" / "x.pyc", "junk");
  }
  ApplicationFiles files() { return files({files_below(folder_.path()), {}, "", false}); }
  ApplicationFiles files(const ProjectFiles& files) { return application_files(project_, placement_, files); }

  TemporaryFolder folder_{fs::temp_directory_path(), "application-test"};
  tree::FileTree base_;
  Placement placement_{base_};
  python::Project project_;
};

TEST_F(ApplicationTest, ModesAreZeroSevenFiveFiveOrZeroSixFourFour) {
  const ApplicationFiles result = files();
  EXPECT_EQ(result.tree.find("app/main.py")->mode, 0644u);
  EXPECT_EQ(result.tree.find("app/scripts/run.sh")->mode, 0755u);
  EXPECT_EQ(result.tree.find("app/main.py")->mtime, fixed_time);
  EXPECT_FALSE(result.tree.contains("app/scripts/__pycache__"));
}

TEST_F(ApplicationTest, TheContentHashFollowsEveryByteAndMode) {
  const Hash first = files().content;
  EXPECT_EQ(files().content, first);
  write_text_file(folder_.path() / "main.py", "print(1)\n");
  const Hash second = files().content;
  EXPECT_NE(second, first);
  ASSERT_EQ(::chmod((folder_.path() / "main.py").c_str(), 0755), 0);
  EXPECT_NE(files().content, second);
}

TEST_F(ApplicationTest, TakesFromAFolderWhatGitLists) {
  write_text_file(folder_.path() / "scripts" / "ignored", "x");
  const ApplicationFiles result = files({{"main.py", "scripts/run.sh", "scriptsx"}, {}, "", true});
  EXPECT_TRUE(result.tree.contains("app/scripts/run.sh"));
  EXPECT_FALSE(result.tree.contains("app/scripts/ignored"));
}

TEST_F(ApplicationTest, SaysWhyAFolderHoldsNothing) {
  fs::create_directory(folder_.path() / "empty");
  const auto hint = [&](const char* from, const std::vector<std::string>& left_out = {}) {
    project_.image.files = {{from, "/app/x", std::nullopt}};
    try {
      files({{"main.py"}, left_out, ".dockerignore", true});
    } catch (const Error& error) {
      return error.hint();
    }
    return std::string("no error");
  };
  EXPECT_THAT(hint("empty"), testing::HasSubstr("it is empty"));
  EXPECT_THAT(hint("scripts"), testing::HasSubstr("git ignores what is in it"));
  EXPECT_THAT(hint("scripts", {"scripts/run.sh"}), testing::HasSubstr(".dockerignore leaves out what is in it"));
}

TEST_F(ApplicationTest, WritableFoldersAndEmptyFilesBelongToTheUser) {
  project_.image.writable = {"/app/data"};
  project_.image.empty_files = {"/app/data/log"};
  const ApplicationFiles result = files();
  EXPECT_EQ(result.tree.find("app/data")->uid, 1000u);
  EXPECT_EQ(result.tree.find("app/data/log")->gid, 1000u);
  EXPECT_EQ(result.tree.find("app/data/log")->content->size(), 0u);
  EXPECT_EQ(result.tree.find("app")->uid, 0u);
}

TEST_F(ApplicationTest, LinksMayNotLeadOutside) {
  fs::create_symlink("main.py", folder_.path() / "good");
  project_.image.files = {{"good", "/app/good", std::nullopt}};
  EXPECT_EQ(files().tree.find("app/good")->link_target, "main.py");
  for (const char* target : {"/etc/passwd", "../outside", "../../../../etc/passwd"}) {
    fs::remove(folder_.path() / "bad");
    fs::create_symlink(target, folder_.path() / "bad");
    project_.image.files = {{"bad", "/app/bad", std::nullopt}};
    EXPECT_THROW(files(), Error) << target;
  }
}

TEST_F(ApplicationTest, NamesTheRuleThatCannotBeFollowed) {
  project_.image.files = {{"absent", "/app/absent", std::nullopt}};
  try {
    files();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
    EXPECT_THAT(error.what(), testing::HasSubstr("[tool.veneer.image] files, 'absent'"));
  }
  project_.image.files = {{"main.py", "/app/x", std::nullopt}, {"scripts/run.sh", "/app/x", std::nullopt}};
  EXPECT_THROW(files(), Error);
}

}  // namespace
}  // namespace veneer::build
