#include "python/project/git_tree.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "tests/support/project_folder.hh"

namespace veneer::python {
namespace {

using testing::ElementsAre;
using tests::ProjectFolder;

constexpr std::uint64_t most = 1 << 20;

TEST(GitTree, HasTheFilesOfACommitBelowAFolder) {
  ProjectFolder folder;
  folder.write("api/a b.txt", "one\n");
  folder.write("api/src/large.txt", std::string(200'000, 'x') + "\n");
  folder.write("other.txt", "two\n");
  std::filesystem::create_symlink("a b.txt", folder.path() / "api/link");
  folder.commit_all();
  const GitRepository repository = *find_git_repository(folder.path());
  const std::string commit = find_commit(repository, "HEAD");
  EXPECT_EQ(commit, folder.git({"rev-parse", "HEAD"}));
  const std::vector<GitFile> files = files_of_commit(repository, commit, "api/");
  std::vector<std::string> paths;
  for (const GitFile& file : files) paths.push_back(file.path);
  EXPECT_THAT(paths, ElementsAre("a b.txt", "link", "src/large.txt"));
  EXPECT_EQ(files_of_commit(repository, commit, "").size(), 4U);

  folder.write("api/a b.txt", "changed since\n");
  const TemporaryFolder to(std::filesystem::temp_directory_path(), "tree");
  write_files(repository, files, to.path(), most);
  EXPECT_EQ(read_text_file(to.path() / "link", most), "one\n");
  EXPECT_EQ(std::filesystem::file_size(to.path() / "src/large.txt"), 200'001U);
  EXPECT_THAT(find_objects(repository, {commit + ":other.txt", commit + ":nothing"}),
              ElementsAre(folder.git({"rev-parse", "HEAD:other.txt"}), ""));
  const TemporaryFolder small(std::filesystem::temp_directory_path(), "tree");
  EXPECT_THROW(write_files(repository, files, small.path(), 1000), Error);
}

TEST(GitTree, ReadsTreesAsGitListsThem) {
  ProjectFolder folder;
  folder.write("a.txt", "1");
  folder.write("x/y/z.txt", "2");
  folder.write("x/b.txt", "1");
  folder.commit_all();
  const std::string first = folder.git({"rev-parse", "HEAD"});
  folder.write("x/y/z.txt", "3");
  folder.commit_all();
  const GitRepository repository = *find_git_repository(folder.path());
  const std::vector<std::string> commits = {first, folder.git({"rev-parse", "HEAD"})};
  std::vector<std::string> trees = find_objects(repository, {commits[0] + ":", commits[1] + ":"});
  trees.emplace_back();
  const auto text_of = [](const std::vector<GitFile>& files) {
    std::string text;
    for (const GitFile& file : files) text += fmt::format("{} {:o} {}\n", file.path, file.mode, file.object);
    return text;
  };
  read_trees(
      repository, trees, [](const std::string&) { return true; },
      [&](std::size_t place, const std::vector<GitFile>& files) {
        EXPECT_EQ(text_of(files), place == 2 ? "" : text_of(files_of_commit(repository, commits[place], "")));
      });
  read_trees(
      repository, trees, [](const std::string& path) { return path.starts_with("x/y/"); },
      [&](std::size_t place, const std::vector<GitFile>& files) { EXPECT_EQ(files.size(), place == 2 ? 0U : 1U); });
}

TEST(GitTree, RefusesNamesThatLeadElsewhere) {
  ProjectFolder folder;
  folder.write("a", "one\n");
  folder.commit_all();
  const GitRepository repository = *find_git_repository(folder.path());
  const std::string object = folder.git({"rev-parse", "HEAD:a"});
  for (const char* name : {"../a", "x/../../a", ".git/config", "/a", "x//a"}) {
    const TemporaryFolder to(std::filesystem::temp_directory_path(), "tree");
    EXPECT_THROW(write_files(repository, {{name, 0100644, object}}, to.path(), most), Error) << name;
  }
  // A link is made when all files are there, so that none is written through it.
  const TemporaryFolder to(std::filesystem::temp_directory_path(), "tree");
  EXPECT_THROW(write_files(repository, {{"x", 0120000, object}, {"x/a", 0100644, object}}, to.path(), most), Error);
}

TEST(GitTree, SaysWhatIsNoCommitAndWhatIsNotThere) {
  ProjectFolder folder;
  folder.write("a", "one\n");
  folder.commit_all();
  const GitRepository repository = *find_git_repository(folder.path());
  for (const char* name : {"v9", "HEAD:a", "--all", ""}) EXPECT_THROW(find_commit(repository, name), Error) << name;
  EXPECT_THROW(read_objects(repository, {std::string(40, '1')}, most, [](std::size_t, std::string_view) {}), Error);
}

}  // namespace
}  // namespace veneer::python
