#include "python/lock/pylock.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "tests/support/errors.hh"
#include "tests/unit/python/lock/some_target.hh"

namespace veneer::python {
namespace {

using testing::ElementsAre;
using tests::refuses;

const std::string head = "lock-version = \"1.0\"\ncreated-by = \"test\"\n";

std::string package(const std::string& name, const std::string& extra = "", const std::string& version = "1.0") {
  return fmt::format(
      "[[packages]]\nname = \"{0}\"\nversion = \"{1}\"\n{2}\nwheels = [{{ url = "
      "\"https://files.index.example/{0}-{1}-py3-none-any.whl\", "
      "size = 5, hashes = {{ sha256 = \"{3}\" }} }}]\n",
      name, version, extra, std::string(64, 'a'));
}

std::vector<std::string> selected(const std::string& text, const SelectOptions& options = {}) {
  std::vector<std::string> result;
  for (const SelectedPackage& one : select(parse_pylock(text), some_target(), options).packages) {
    result.push_back(one.name + " " + one.version);
  }
  return result;
}

auto parsing(const std::string& text) {
  return [text] { parse_pylock(text); };
}

TEST(Pylock, SelectsWheels) {
  const Selection selection = select(parse_pylock(head + package("b") + package("a")), some_target(), {});
  ASSERT_EQ(selection.packages.size(), 2u);
  const SelectedPackage& first = selection.packages[0];
  EXPECT_EQ(first.name, "a");
  EXPECT_EQ(first.kind, PackageKind::wheel);
  EXPECT_EQ(first.file, "a-1.0-py3-none-any.whl");
  EXPECT_EQ(first.hash->hex(), std::string(64, 'a'));
  EXPECT_EQ(first.size, std::optional<std::uint64_t>(5));
}

// astral-sh/uv#20144: a file without `packages` is no empty list.
TEST(Pylock, Case5PackagesIsRequired) {
  EXPECT_THAT(parsing(head), refuses("'packages' is missing"));
  EXPECT_THAT(selected(head + "packages = []\n"), ElementsAre());
}

TEST(Pylock, Case5SoAreTheOtherRequiredKeys) {
  const std::string empty = "packages = []\n";
  EXPECT_THAT(parsing("created-by = \"x\"\n" + empty), refuses("'lock-version' is missing"));
  EXPECT_THAT(parsing("lock-version = \"1.0\"\n" + empty), refuses("'created-by' is missing"));
  EXPECT_THAT(parsing(head + "[[packages]]\nversion = \"1\"\nwheels = []\n"), refuses("'name' is missing"));
  EXPECT_THAT(parsing(head + "[[packages]]\nname = \"a\"\n"), refuses("no vcs, directory, archive, sdist or wheels"));
  EXPECT_THAT(
      parsing(head + "[[packages]]\nname = \"a\"\nwheels = [{ url = \"https://x.example/a-1-py3-none-any.whl\" }]\n"),
      refuses("'hashes' is missing"));
  EXPECT_THAT(parsing(head + "[[packages]]\nname = \"a\"\nwheels = [{ hashes = { sha256 = \"0\" } }]\n"),
              refuses("'url' is missing"));
  EXPECT_THAT(parsing(head + "[[packages]]\nname = \"a\"\nvcs = { url = \"https://x.example\", commit-id = \"0\" }\n"),
              refuses("'type' is missing"));
  EXPECT_THAT(parsing(head + "[[packages]]\nname = \"a\"\nvcs = { type = \"git\", url = \"https://x.example\" }\n"),
              refuses("'commit-id' is missing"));
  EXPECT_THAT(parsing(head + "[[packages]]\nname = \"a\"\nvcs = { type = \"git\", commit-id = \"0\" }\n"),
              refuses("'url' is missing"));
  EXPECT_THAT(parsing(head + "[[packages]]\nname = \"a\"\ndirectory = { editable = true }\n"),
              refuses("'path' is missing"));
  EXPECT_THAT(parsing(head + "[[packages]]\nname = \"a\"\narchive = { url = \"https://x.example/a-1.tar.gz\" }\n"),
              refuses("'hashes' is missing"));
}

TEST(Pylock, OtherVersionsOfTheFormat) {
  EXPECT_NO_THROW(parse_pylock("lock-version = \"1.7\"\ncreated-by = \"x\"\npackages = []\n"));
  EXPECT_THAT(parsing("lock-version = \"2.0\"\ncreated-by = \"x\"\npackages = []\n"), refuses("2.0 is not supported"));
}

// pex-tool/pex#2887: one project twice, with markers that exclude each other.
TEST(Pylock, AProjectThatIsListedTwice) {
  const std::string linux = "marker = \"sys_platform == 'linux'\"";
  const std::string windows = "marker = \"sys_platform == 'win32'\"";
  EXPECT_THAT(selected(head + package("a", windows, "1.0") + package("a", linux, "2.0")), ElementsAre("a 2.0"));
  EXPECT_THAT(selected(head + package("a", windows, "1.0")), ElementsAre());
  EXPECT_THAT([&] { selected(head + package("a", linux, "1.0") + package("a", "", "2.0")); },
              refuses("lists it twice"));
}

TEST(Pylock, ExtrasAndGroupsAreThoseOfTheFile) {
  const std::string text =
      head + "extras = [\"gpu\"]\ndependency-groups = [\"dev\", \"docs\"]\ndefault-groups = [\"main\"]\n" +
      package("base", "marker = \"'main' in dependency_groups\"") + package("cuda", "marker = \"'gpu' in extras\"") +
      package("pytest", "marker = \"'dev' in dependency_groups\"") +
      package("sphinx", "marker = \"'docs' in dependency_groups\"");
  EXPECT_THAT(selected(text), ElementsAre("base 1.0"));
  SelectOptions options;
  options.extras = {"gpu"};
  EXPECT_THAT(selected(text, options), ElementsAre("base 1.0", "cuda 1.0"));
  options = {};
  options.group_choice = GroupChoice::all;
  options.excluded_groups = {"docs"};
  EXPECT_THAT(selected(text, options), ElementsAre("base 1.0", "pytest 1.0"));
  options = {};
  options.groups = {"docs"};
  options.project_choice = ProjectChoice::groups_alone;
  EXPECT_THAT(selected(text, options), ElementsAre("sphinx 1.0"));
  options = {};
  options.extras = {"tpu"};
  EXPECT_THAT([&] { selected(text, options); }, refuses("no extra \"tpu\""));
}

TEST(Pylock, EnvironmentsAndPythonAreChecked) {
  EXPECT_THAT([] { selected(head + "requires-python = \">=3.13\"\npackages = []\n"); },
              refuses("outside the lock's requires-python"));
  EXPECT_THAT([] { selected(head + "environments = [\"sys_platform == 'win32'\"]\npackages = []\n"); },
              refuses("outside those that the lock supports"));
  EXPECT_THAT([] { selected(head + package("a", "requires-python = \">=3.13\"")); }, refuses("package a"));
}

TEST(Pylock, TheProjectsOwnFolderInAnySpelling) {
  const auto is_own = [](const std::string& path, const std::string& more) {
    const std::string here = "[[packages]]\nname = \"here\"\ndirectory = { path = \"" + path + "\"" + more + " }\n";
    return select(parse_pylock(head + here), some_target(), {}).packages.at(0).is_project;
  };
  for (const char* path : {".", "./", "a/..", "./a/../"}) EXPECT_TRUE(is_own(path, "")) << path;
  for (const char* path : {"..hidden", "members/a/"}) EXPECT_TRUE(is_own(path, ", editable = true")) << path;
  for (const char* path : {"./../a", "a/../../b", "/a"}) EXPECT_FALSE(is_own(path, ", editable = true")) << path;
  EXPECT_FALSE(is_own("a", ""));
}

TEST(Pylock, EverySource) {
  const std::string hashes = "hashes = { sha256 = \"" + std::string(64, 'b') + "\" }";
  const Selection selection =
      select(parse_pylock(head +
                          "[[packages]]\nname = \"git\"\nvcs = { type = \"git\", url = \"https://x.example/r\", "
                          "commit-id = \"c0ffee\", subdirectory = \"s\" }\n" +
                          "[[packages]]\nname = \"here\"\ndirectory = { path = \".\", editable = true }\n" +
                          "[[packages]]\nname = \"source\"\nversion = \"1\"\nsdist = { path = \"source-1.tar.gz\", " +
                          hashes + " }\n" +
                          "[[packages]]\nname = \"tarball\"\narchive = { url = "
                          "\"https://x.example/t.zip#subdirectory=q\", subdirectory = \"q\", " +
                          hashes + " }\n" +
                          "[[packages]]\nname = \"windows\"\nversion = \"1\"\nwheels = [{ url = "
                          "\"https://x.example/windows-1-cp312-cp312-win32.whl\", " +
                          hashes + " }]\n"),
             some_target(), {});
  ASSERT_EQ(selection.packages.size(), 4u);
  EXPECT_EQ(selection.packages[0].git_commit, "c0ffee");
  EXPECT_EQ(selection.packages[0].subdirectory, "s");
  EXPECT_TRUE(selection.packages[1].is_project);
  EXPECT_EQ(selection.packages[2].kind, PackageKind::sdist);
  EXPECT_EQ(selection.packages[3].kind, PackageKind::archive);
  EXPECT_EQ(selection.packages[3].location, "https://x.example/t.zip");
  EXPECT_THAT(selection.unusable, ElementsAre("windows"));
  EXPECT_THAT(
      parsing(head +
              "[[packages]]\nname = \"a\"\nvcs = { type = \"hg\", url = \"https://x.example\", commit-id = \"0\" }\n"),
      refuses("hg is not supported"));
}

TEST(IsPylockName, FollowsTheSpecification) {
  EXPECT_TRUE(is_pylock_name("pylock.toml"));
  EXPECT_TRUE(is_pylock_name("pylock.dev.toml"));
  EXPECT_FALSE(is_pylock_name("pylock..toml"));
  EXPECT_FALSE(is_pylock_name("pylock.a.b.toml"));
  EXPECT_FALSE(is_pylock_name("uv.lock"));
  EXPECT_FALSE(is_pylock_name("my-pylock.toml"));
}

}  // namespace
}  // namespace veneer::python
