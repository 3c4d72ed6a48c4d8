#include "python/project/git_checkout.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "foundation/error.hh"
#include "tests/support/project_folder.hh"

namespace veneer::python {
namespace {

using testing::ElementsAre;
using tests::ProjectFolder;

std::optional<GitFolder> find(const std::filesystem::path& folder) { return GitCheckouts().find(folder); }

TEST(GitState, IsNothingOutsideOfARepository) {
  ProjectFolder folder;
  EXPECT_FALSE(find(folder.path()));
}

TEST(GitState, KnowsARepositoryWithoutCommits) {
  ProjectFolder folder;
  folder.git({"init", "--quiet"});
  const auto found = find(folder.path());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->checkout->outermost().commit, "");
  EXPECT_EQ(found->checkout->outermost().commit_time, 0);
}

TEST(GitState, TellsCommitTimeAndChanges) {
  ProjectFolder folder;
  folder.write("sub/a.txt", "1");
  folder.write(".gitignore", "ignored\n");
  folder.commit_all();
  const auto found = find(folder.path() / "sub");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->checkout->root(), std::filesystem::canonical(folder.path()));
  const GitState& state = found->checkout->outermost();
  EXPECT_EQ(state.commit, folder.git({"rev-parse", "HEAD"}));
  EXPECT_EQ(state.commit_time, tests::commit_time);
  EXPECT_EQ(state.repository.history, History::complete);
  EXPECT_EQ(state.repository.object_format, "sha1");
  const auto is_clean = [&] { return find(folder.path())->checkout->is_clean(); };
  EXPECT_TRUE(is_clean());

  folder.write("ignored", "x");
  EXPECT_TRUE(is_clean());
  folder.write("new.txt", "x");
  EXPECT_FALSE(is_clean());
  std::filesystem::remove(folder.path() / "new.txt");
  folder.write("sub/a.txt", "2");
  EXPECT_FALSE(is_clean());
}

TEST(GitState, IsCleanWhateverIsPinned) {
  ProjectFolder folder;
  folder.write("a.txt", "1");
  folder.commit_all();
  const auto look = [&] { return find(folder.path())->checkout; };
  folder.write("veneer.lock", "1");
  EXPECT_TRUE(look()->is_clean());
  EXPECT_TRUE(look()->files.untracked.empty());
  folder.git({"add", "veneer.lock"});
  EXPECT_TRUE(look()->is_clean());
  folder.commit_all();
  folder.write("veneer.lock", "2");
  EXPECT_TRUE(look()->is_clean());
  folder.write("my veneer.lock", "1");
  EXPECT_FALSE(look()->is_clean());
}

TEST(GitState, KnowsTheSubfolderInAnySpelling) {
  ProjectFolder folder;
  folder.write("api/pages/a.txt", "1");
  folder.commit_all();
  std::filesystem::create_directory_symlink(folder.path() / "api", folder.beside("link"));
  for (const std::filesystem::path& spelling :
       {folder.path() / "api", folder.path() / "api/", folder.path() / "api/pages/..", folder.beside("link"),
        folder.beside("link/"), folder.beside("link/pages/..")}) {
    EXPECT_EQ(find(spelling)->prefix(), "api/") << spelling;
  }
  EXPECT_EQ(find(folder.path() / "")->prefix(), "");
}

TEST(GitState, SeesAShallowClone) {
  ProjectFolder folder;
  folder.write("a", "1");
  folder.commit_all();
  folder.write("a", "2");
  folder.commit_all();
  const std::filesystem::path clone = folder.beside("clone");
  folder.git({"clone", "--quiet", "--depth", "1", "file://" + folder.path().native(), clone.native()});
  EXPECT_EQ(find(clone)->checkout->outermost().repository.history, History::shallow);
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
    find(folder.path());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    EXPECT_THAT(error.hint(), testing::HasSubstr("safe.directory " + folder.path().native()));
  }
  ::unsetenv("GIT_TEST_ASSUME_DIFFERENT_OWNER");
}

TEST(GitState, KnowsPlacesOfAFolderWhoseNameHasLineEnds) {
  ProjectFolder folder;
  folder.write("a", "1");
  folder.commit_all();
  for (const char* name : {"one\nline", "at its end\n"}) {
    const std::filesystem::path clone = folder.beside(name);
    folder.git({"clone", "--quiet", folder.path().native(), clone.native()});
    const auto found = find(clone);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->checkout->root(), std::filesystem::canonical(clone));
    EXPECT_EQ(found->checkout->outermost().repository.places.at("index"), found->checkout->root() / ".git/index");
  }
}

// A user's setting that adds a line to what git says.
TEST(GitState, IsCleanWhateverIsStashed) {
  ProjectFolder folder;
  folder.write("a", "1");
  folder.commit_all();
  folder.write("a", "2");
  folder.git({"stash", "--quiet"});
  folder.git({"config", "status.showStash", "true"});
  EXPECT_TRUE(find(folder.path())->checkout->is_clean());
}

TEST(GitCheckouts, ReadEachCheckoutOnce) {
  ProjectFolder folder;
  folder.write("lib/lib.c", "1");
  folder.git({"-C", "lib", "init", "--quiet"});
  folder.git({"-C", "lib", "add", "--all"});
  folder.git({"-C", "lib", "commit", "--quiet", "--message", "First"});
  folder.write("members/a/a.txt", "1");
  folder.write("members/b/b.txt", "1");
  folder.git({"init", "--quiet"});
  folder.git({"submodule", "--quiet", "add", (folder.path() / "lib").native(), "members/module"});
  folder.git({"add", "members"});
  folder.git({"commit", "--quiet", "--message", "First"});
  GitCheckouts checkouts;
  const auto first = checkouts.find(folder.path() / "members" / "a");
  const auto second = checkouts.find(folder.path() / "members" / "b");
  EXPECT_EQ(first->checkout, second->checkout);
  EXPECT_EQ(first->subfolder, "members/a");
  EXPECT_EQ(second->subfolder, "members/b");
  // Repositories within are checkouts of their own to whoever asks for a folder of theirs.
  for (const char* within : {"lib", "members/module"}) {
    const auto found = checkouts.find(folder.path() / within);
    EXPECT_EQ(found->checkout->root(), folder.path() / within);
    EXPECT_EQ(found->subfolder, "");
  }
}

// The work tree of a repository need not be where its .git is.
TEST(GitCheckouts, FollowGitToAnotherWorkTree) {
  ProjectFolder folder;
  folder.write("there/a.txt", "1");
  folder.write("other/b.txt", "1");
  folder.git({"init", "--quiet"});
  folder.git({"config", "core.worktree", (folder.path() / "there").native()});
  GitCheckouts checkouts;
  EXPECT_EQ(checkouts.find(folder.path() / "there")->checkout->root(), folder.path() / "there");
  EXPECT_EQ(checkouts.find(folder.path() / "there")->checkout->files.untracked, std::vector<std::string>{"a.txt"});
}

TEST(GitFiles, AreTrackedUntrackedOrIgnored) {
  ProjectFolder folder;
  folder.write("a b.txt", "1");
  folder.write(".gitignore", "*.o\ncache/\n");
  folder.commit_all();
  folder.write("n\xc3\xa9w.txt", "1");
  folder.write("x.o", "1");
  folder.write("cache/one", "1");
  const auto found = find(folder.path());
  const GitFiles& files = found->checkout->files;
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
  const auto found = find(folder.path());
  const GitFiles& files = found->checkout->files;
  EXPECT_THAT(files.tracked, ElementsAre(".gitmodules", "module/.gitignore", "module/lib.c", "there.txt"));
  EXPECT_THAT(files.untracked, ElementsAre("lib/.gitignore", "lib/lib.c", "lib/new.c", "module/new.c"));
  EXPECT_THAT(files.ignored, ElementsAre("lib/lib.o", "module/lib.o"));
  ASSERT_EQ(found->checkout->repositories.size(), 2u);
  EXPECT_EQ(found->checkout->repositories[1].path, "module");
  EXPECT_THAT(files.absent_submodules, ElementsAre("absent"));
}

}  // namespace
}  // namespace veneer::python
