#include "python/project/git.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "foundation/error.hh"
#include "tests/support/project_folder.hh"

namespace veneer::python {
namespace {

using testing::ElementsAre;
using tests::ProjectFolder;

TEST(GitState, IsNothingOutsideOfARepository) {
  ProjectFolder folder;
  EXPECT_FALSE(read_git_state(folder.path()));
}

TEST(GitState, KnowsARepositoryWithoutCommits) {
  ProjectFolder folder;
  folder.git({"init", "--quiet"});
  const auto state = read_git_state(folder.path());
  ASSERT_TRUE(state);
  EXPECT_EQ(state->commit, "");
  EXPECT_EQ(state->commit_time, 0);
}

TEST(GitState, TellsCommitTimeAndChanges) {
  ProjectFolder folder;
  folder.write("sub/a.txt", "1");
  folder.write(".gitignore", "ignored\n");
  folder.commit_all();
  auto state = read_git_state(folder.path() / "sub");
  ASSERT_TRUE(state);
  EXPECT_EQ(state->root, std::filesystem::canonical(folder.path()));
  EXPECT_EQ(state->commit, folder.git({"rev-parse", "HEAD"}));
  EXPECT_EQ(state->commit_time, tests::commit_time);
  EXPECT_EQ(state->worktree, Worktree::clean);
  EXPECT_EQ(state->history, History::complete);

  folder.write("ignored", "x");
  EXPECT_EQ(read_git_state(folder.path())->worktree, Worktree::clean);
  folder.write("new.txt", "x");
  EXPECT_EQ(read_git_state(folder.path())->worktree, Worktree::dirty);
  std::filesystem::remove(folder.path() / "new.txt");
  folder.write("sub/a.txt", "2");
  EXPECT_EQ(read_git_state(folder.path())->worktree, Worktree::dirty);
}

TEST(GitState, KnowsTheSubfolderInAnySpelling) {
  ProjectFolder folder;
  folder.write("api/pages/a.txt", "1");
  folder.commit_all();
  std::filesystem::create_directory_symlink(folder.path() / "api", folder.beside("link"));
  for (const std::filesystem::path& spelling :
       {folder.path() / "api", folder.path() / "api/", folder.path() / "api/pages/..", folder.beside("link"),
        folder.beside("link/"), folder.beside("link/pages/..")}) {
    EXPECT_EQ(read_git_state(spelling)->prefix(), "api/") << spelling;
  }
  EXPECT_EQ(read_git_state(folder.path() / "")->prefix(), "");
}

TEST(GitState, SeesAShallowClone) {
  ProjectFolder folder;
  folder.write("a", "1");
  folder.commit_all();
  folder.write("a", "2");
  folder.commit_all();
  const std::filesystem::path clone = folder.beside("clone");
  folder.git({"clone", "--quiet", "--depth", "1", "file://" + folder.path().native(), clone.native()});
  EXPECT_EQ(read_git_state(clone)->history, History::shallow);
}

TEST(GitState, SaysWhenGitDoesNotTrustTheFolder) {
  ProjectFolder folder;
  folder.write("a", "1");
  folder.commit_all();
  ::setenv("GIT_CONFIG_COUNT", "0", 1);  // whoever runs the tests may trust every folder
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(folder.path().c_str(), 12345, 12345), 0);
    ASSERT_EQ(::chown((folder.path() / ".git").c_str(), 12345, 12345), 0);
  } else {
    ::setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1", 1);  // git's own way to take any folder for another user's
  }
  try {
    read_git_state(folder.path());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    EXPECT_THAT(error.hint(), testing::HasSubstr("safe.directory " + folder.path().native()));
  }
  ::unsetenv("GIT_TEST_ASSUME_DIFFERENT_OWNER");
}

TEST(GitFiles, AreTrackedUntrackedOrIgnored) {
  ProjectFolder folder;
  folder.write("a b.txt", "1");
  folder.write(".gitignore", "*.o\ncache/\n");
  folder.commit_all();
  folder.write("n\xc3\xa9w.txt", "1");
  folder.write("x.o", "1");
  folder.write("cache/one", "1");
  const GitFiles files = list_git_files(*read_git_state(folder.path()));
  EXPECT_THAT(files.tracked, ElementsAre(".gitignore", "a b.txt"));
  EXPECT_THAT(files.untracked, ElementsAre("n\xc3\xa9w.txt"));
  EXPECT_THAT(files.ignored, ElementsAre("cache/", "x.o"));
}

TEST(GitFiles, AreThereAndInRepositoriesWithinToo) {
  ProjectFolder folder;
  folder.write("lib/.gitignore", "*.o\n");
  folder.write("lib/lib.c", "1");
  folder.git({"-C", "lib", "init", "--quiet"});
  folder.git({"-C", "lib", "add", "--all"});
  folder.git({"-C", "lib", "commit", "--quiet", "--message", "First"});
  folder.write("gone.txt", "1");
  folder.write("there.txt", "1");
  folder.git({"init", "--quiet"});
  for (const char* name : {"module", "absent"}) {
    folder.git({"submodule", "--quiet", "add", (folder.path() / "lib").native(), name});
  }
  folder.git({"add", "gone.txt", "there.txt"});
  folder.git({"commit", "--quiet", "--message", "First"});
  folder.git({"submodule", "--quiet", "deinit", "absent"});
  std::filesystem::remove(folder.path() / "gone.txt");
  for (const char* name : {"lib", "module"}) {
    folder.write(std::string(name) + "/new.c", "1");
    folder.write(std::string(name) + "/lib.o", "1");
  }
  const GitFiles files = list_git_files(*read_git_state(folder.path()));
  EXPECT_THAT(files.tracked, ElementsAre(".gitmodules", "module/.gitignore", "module/lib.c", "there.txt"));
  EXPECT_THAT(files.untracked, ElementsAre("lib/.gitignore", "lib/lib.c", "lib/new.c", "module/new.c"));
  EXPECT_THAT(files.ignored, ElementsAre("lib/lib.o", "module/lib.o"));
  EXPECT_THAT(files.submodules, ElementsAre("module"));
  EXPECT_THAT(files.absent_submodules, ElementsAre("absent"));
}

}  // namespace
}  // namespace veneer::python
