#include "python/supply/app_wheel.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "archive/zip.hh"
#include "foundation/error.hh"
#include "python/supply/source_copy.hh"
#include "tests/support/project_folder.hh"
#include "tests/unit/python/supply/find_sources.hh"
#include "tests/unit/python/supply/tiny_project.hh"

namespace veneer::python {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;
using tests::ProjectFolder;

std::set<std::string> listing(const std::filesystem::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().native().find("/.git") == std::string::npos)
      names.insert(entry.path().lexically_relative(folder).native());
  }
  return names;
}

std::string member(const std::filesystem::path& wheel, const std::string& name) {
  const archive::ZipReader reader(std::make_shared<File>(wheel));
  for (const archive::ZipEntry& entry : reader.entries()) {
    if (entry.name == name) return std::string(as_text(read_all(*reader.open(entry), 1 << 20)));
  }
  return "(not there)";
}

class AppWheelTest : public testing::Test {
 protected:
  void SetUp() override {
    VENEER_NEEDS_UV();
    uv_ = find_uv(tests::uv_path());
    target_ = {.major = 3, .minor = 11, .full_version = "3.11.2", .libc = {}, .machine = "x86_64", .interpreter = {}};
    folder_.write("pyproject.toml", uv_build_project);
    folder_.write("src/tiny/__init__.py", "value = 1\n");
  }
  AppWheel build() {
    BuiltWheels cache(folder_.beside("cache"));
    return build_app_wheel(read_project(folder_.path()), target_, uv_, cache);
  }

  ProjectFolder folder_;
  UvProgram uv_;
  Target target_;
};

TEST_F(AppWheelTest, BuildsOnceAndLeavesTheCheckoutAlone) {
  folder_.commit_all();
  const std::set<std::string> before = listing(folder_.path());
  const AppWheel first = build();
  EXPECT_EQ(first.wheel.origin, BuildOrigin::built);
  EXPECT_EQ(first.wheel.path.filename(), "tiny-1.0-py3-none-any.whl");
  EXPECT_TRUE(first.wheel.tags.is_pure());
  EXPECT_THAT(members(first.wheel.path), Contains("tiny/__init__.py"));
  EXPECT_EQ(listing(folder_.path()), before);
  EXPECT_EQ(folder_.git({"status", "--porcelain", "--ignored"}), "");
  const AppWheel second = build();
  EXPECT_EQ(second.wheel.origin, BuildOrigin::cache);
  EXPECT_EQ(second.wheel.hash, first.wheel.hash);
}

TEST_F(AppWheelTest, BuildsAgainWhenSomethingChanged) {
  folder_.commit_all();
  build();
  folder_.write("src/tiny/__init__.py", "value = 2\n");
  const AppWheel changed = build();
  EXPECT_EQ(changed.wheel.origin, BuildOrigin::built);
  EXPECT_EQ(member(changed.wheel.path, "tiny/__init__.py"), "value = 2\n");
  EXPECT_EQ(build().wheel.origin, BuildOrigin::cache);
  folder_.write("src/tiny/extra.py", "");
  EXPECT_THAT(members(build().wheel.path), Contains("tiny/extra.py"));
  std::filesystem::remove(folder_.path() / "src/tiny/extra.py");
  EXPECT_EQ(build().wheel.origin, BuildOrigin::cache);
  folder_.git({"tag", "v2"});
  EXPECT_EQ(build().wheel.origin, BuildOrigin::built);
}

// What the caller's environment says stays out of a wheel, which is kept, unless the project names it.
TEST_F(AppWheelTest, BuildsInAClosedEnvironment) {
  folder_.write("pyproject.toml", telling_project);
  folder_.write("backend.py", telling_back_end);
  ::setenv("SETUPTOOLS_SCM_PRETEND_VERSION_FOR_TINY", "9.9", 1);
  ::setenv("CFLAGS", "-DCALLER", 1);
  ::setenv("CARGO_HOME", "/some/cargo", 1);
  ::setenv("UV_INDEX_CORP_USERNAME", "ann", 1);
  const std::string closed = member(build().wheel.path, "tiny.json");
  uv_.environment["CFLAGS"] = "-DNAMED";
  const AppWheel named = build();
  for (const char* name :
       {"SETUPTOOLS_SCM_PRETEND_VERSION_FOR_TINY", "CFLAGS", "CARGO_HOME", "UV_INDEX_CORP_USERNAME"}) {
    ::unsetenv(name);
  }
  EXPECT_THAT(closed, Not(HasSubstr("PRETEND_VERSION")));
  EXPECT_THAT(closed, Not(HasSubstr("CFLAGS")));
  EXPECT_THAT(closed, HasSubstr("/some/cargo"));
  EXPECT_THAT(closed, HasSubstr("UV_INDEX_CORP_USERNAME"));
  EXPECT_THAT(closed, HasSubstr("SOURCE_DATE_EPOCH"));
  EXPECT_EQ(named.wheel.origin, BuildOrigin::built);
  EXPECT_THAT(member(named.wheel.path, "tiny.json"), HasSubstr("-DNAMED"));
}

// A folder of wheels that git ignores, and that an old build may have left: build requirements come from it.
TEST_F(AppWheelTest, FindsLinksInARelativeFolder) {
  folder_.write("pyproject.toml",
                std::string(telling_project) + "[tool.uv]\nno-index = true\nfind-links = [\"dist\"]\n");
  folder_.write("backend.py", telling_back_end);
  folder_.write(".gitignore", "dist/\n");
  folder_.commit_all();
  folder_.write("dist/none-1.0-py3-none-any.whl", "PK");
  EXPECT_EQ(build().wheel.origin, BuildOrigin::built);
  EXPECT_EQ(build().wheel.origin, BuildOrigin::cache);
  folder_.write("dist/none-1.0-py3-none-any.whl", "PK2");
  EXPECT_EQ(build().wheel.origin, BuildOrigin::built);
}

// They are relative to where the caller stands, not to the copy that is built.
TEST_F(AppWheelTest, FindsLinksThatTheCallerNamesByRelativePaths) {
  folder_.write("pyproject.toml", telling_project);
  folder_.write("backend.py", telling_back_end);
  const std::filesystem::path links = folder_.beside("links");
  std::filesystem::create_directories(links);
  const std::string relative = std::filesystem::relative(links).native();
  ASSERT_FALSE(relative.starts_with('/'));
  ::setenv("UV_FIND_LINKS", (relative + "," + folder_.path().native()).c_str(), 1);
  ::setenv("UV_INDEX", ("corp=" + relative).c_str(), 1);
  const std::string told = member(build().wheel.path, "tiny.json");
  for (const char* name : {"UV_FIND_LINKS", "UV_INDEX"}) ::unsetenv(name);
  EXPECT_THAT(told, HasSubstr("\"" + links.native() + "," + folder_.path().native() + "\""));
  EXPECT_THAT(told, HasSubstr("\"corp=" + links.native() + "\""));
}

TEST_F(AppWheelTest, TakesIgnoredModulesAndNoOldDroppings) {
  folder_.write(".gitignore", "_generated.py\nbuild/\n");
  folder_.commit_all();
  folder_.write("src/tiny/_generated.py", "g = 1\n");
  folder_.write("build/lib/tiny/stale.py", "");
  const ProjectSources sources = find_sources(folder_.path());
  EXPECT_THAT(sources.tree->paths, Contains("src/tiny/_generated.py"));
  EXPECT_THAT(sources.tree->paths, Not(Contains("build/lib/tiny/stale.py")));
  EXPECT_THAT(members(build().wheel.path), Contains("tiny/_generated.py"));
  folder_.write("src/tiny/_generated.py", "g = 2\n");
  EXPECT_NE(find_sources(folder_.path()).fingerprint, sources.fingerprint);
}

TEST_F(AppWheelTest, NamesFilesThatAreEmptyInTheWheel) {
  folder_.write("other/x.log", "");
  folder_.commit_all();
  folder_.write("src/tiny/run.log", "secret");
  folder_.write("run.log", "secret");
  folder_.write("other/run.log", "secret");
  const AppWheel wheel = build();
  EXPECT_EQ(member(wheel.wheel.path, "tiny/run.log"), "");
  EXPECT_THAT(wheel.emptied, ElementsAre("src/tiny/run.log"));
  folder_.write(".gitignore", "*.log\n");
  const AppWheel ignored = build();
  EXPECT_EQ(member(ignored.wheel.path, "tiny/run.log"), "(not there)");
  EXPECT_THAT(ignored.emptied, IsEmpty());
}

TEST_F(AppWheelTest, NamesIgnoredFilesAndSecrets) {
  folder_.write(".gitignore", ".env*\nstatic/\n");
  folder_.write("src/tiny/test.key", "-----BEGIN PRIVATE KEY-----\n");
  folder_.commit_all();
  folder_.write("src/tiny/static/dist/app.js", "x");
  folder_.write("src/tiny/.env", "PASSWORD=1");
  folder_.write("src/tiny/id_rsa", "x");
  folder_.write(".env", "PASSWORD=1");
  const AppWheel wheel = build();
  EXPECT_EQ(member(wheel.wheel.path, "tiny/.env"), "(not there)");
  EXPECT_EQ(member(wheel.wheel.path, "tiny/id_rsa"), "");  // git shows it
  EXPECT_EQ(member(wheel.wheel.path, "tiny/static/dist/app.js"), "x");
  EXPECT_THAT(wheel.ignored, ElementsAre("src/tiny/static/dist/app.js"));
  const auto paths = [](const std::vector<Secret>& secrets) {
    std::vector<std::string> all;
    for (const Secret& secret : secrets) all.push_back(secret.path);
    return all;
  };
  EXPECT_THAT(paths(wheel.left_secrets), UnorderedElementsAre("src/tiny/.env", "src/tiny/id_rsa"));
  EXPECT_THAT(paths(wheel.secrets), ElementsAre("tiny/test.key"));
}

TEST_F(AppWheelTest, WorksWithoutGit) {
  const AppWheel first = build();
  EXPECT_EQ(first.wheel.origin, BuildOrigin::built);
  EXPECT_EQ(build().wheel.origin, BuildOrigin::cache);
  folder_.write("src/tiny/__init__.py", "value = 3\n");
  EXPECT_EQ(member(build().wheel.path, "tiny/__init__.py"), "value = 3\n");
}

TEST_F(AppWheelTest, GivesTheSameBytesInTwoFolders) {
  folder_.commit_all();
  const std::filesystem::path clone = folder_.beside("clone");
  folder_.git({"clone", "--quiet", folder_.path().native(), clone.native()});
  BuiltWheels other(folder_.beside("other-cache"));
  EXPECT_EQ(build_app_wheel(read_project(clone), target_, uv_, other).wheel.hash, build().wheel.hash);
}

TEST_F(AppWheelTest, TakesACacheNamedByARelativePath) {
  BuiltWheels cache(std::filesystem::relative(folder_.beside("cache")));
  const AppWheel wheel = build_app_wheel(read_project(folder_.path()), target_, uv_, cache);
  EXPECT_TRUE(wheel.wheel.path.is_absolute());
}

TEST_F(AppWheelTest, SaysWhatTheBuildSaid) {
  folder_.write("pyproject.toml", std::string(uv_build_project) + "[tool.uv.build-backend]\nmodule-root = 3\n");
  try {
    build();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::failed);
    EXPECT_THAT(error.what(), HasSubstr("building the wheel of tiny"));
    EXPECT_THAT(error.what(), HasSubstr("uv build failed"));
  }
}

TEST_F(AppWheelTest, RefusesAVirtualProject) {
  folder_.write("pyproject.toml", "[project]\nname = \"tiny\"\nversion = \"1\"\n");
  EXPECT_THROW(build(), Error);
}

// Needs the package index: the build requirements come from there.
TEST_F(AppWheelTest, TakesVersionAndDataFilesFromGit) {
  folder_.write("pyproject.toml", setuptools_scm_project);
  folder_.write("src/tiny/templates/page.html", "<p>");
  folder_.commit_all();
  folder_.git({"tag", "v1.2.3"});
  const AppWheel tagged = build();
  EXPECT_EQ(tagged.wheel.path.filename(), "tiny-1.2.3-py3-none-any.whl");
  EXPECT_THAT(members(tagged.wheel.path), Contains("tiny/templates/page.html"));
  EXPECT_EQ(folder_.git({"status", "--porcelain", "--ignored"}), "");
  folder_.write("src/tiny/__init__.py", "value = 2\n");
  EXPECT_THAT(build().wheel.path.filename().native(), HasSubstr("tiny-1.2.4.dev0+g"));
  folder_.commit_all();
  folder_.git({"tag", "v1.3.0"});
  EXPECT_EQ(build().wheel.path.filename(), "tiny-1.3.0-py3-none-any.whl");
}

TEST_F(AppWheelTest, RefusesAShallowCloneByName) {
  folder_.write("pyproject.toml", setuptools_scm_project);
  folder_.commit_all();
  folder_.git({"tag", "v1.0"});
  folder_.write("src/tiny/__init__.py", "value = 2\n");
  folder_.commit_all();
  const std::filesystem::path clone = folder_.beside("clone");
  folder_.git({"clone", "--quiet", "--depth", "1", "file://" + folder_.path().native(), clone.native()});
  BuiltWheels cache(folder_.beside("cache"));
  try {
    build_app_wheel(read_project(clone), target_, uv_, cache);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("setuptools-scm"), HasSubstr("shallow clone"), HasSubstr(clone.native())));
    EXPECT_EQ(error.hint(), "run: git fetch --unshallow --tags");
  }
}

TEST_F(AppWheelTest, NeedsARepositoryForAVersionFromGit) {
  folder_.write("pyproject.toml", setuptools_scm_project);
  EXPECT_THROW(build(), Error);
}

TEST_F(AppWheelTest, BuildsAMemberInASubfolderOfAWorktree) {
  folder_.write("packages/tiny/pyproject.toml", uv_build_project);
  folder_.write("packages/tiny/src/tiny/__init__.py", "member = 1\n");
  folder_.commit_all();
  const std::filesystem::path worktree = folder_.beside("worktree");
  folder_.git({"worktree", "add", "--quiet", worktree.native()});
  BuiltWheels cache(folder_.beside("cache"));
  const AppWheel wheel = build_app_wheel(read_project(worktree / "packages" / "tiny"), target_, uv_, cache);
  EXPECT_EQ(member(wheel.wheel.path, "tiny/__init__.py"), "member = 1\n");
}

TEST(CheckBuiltTags, ComparesWithTheTarget) {
  const Target target{
      .major = 3, .minor = 11, .full_version = "3.11.2", .libc = {}, .machine = "x86_64", .interpreter = {}};
  EXPECT_NO_THROW(check_built_tags({"py3", "none", "any"}, target));
  EXPECT_NO_THROW(check_built_tags({"cp311", "cp311", "linux_x86_64"}, target));
  EXPECT_NO_THROW(check_built_tags({"cp38", "abi3", "manylinux_2_17_x86_64"}, target));
  EXPECT_THROW(check_built_tags({"cp313", "cp313", "linux_x86_64"}, target), Error);
  EXPECT_THROW(check_built_tags({"cp311", "cp311t", "linux_x86_64"}, target), Error);
  EXPECT_THROW(check_built_tags({"cp311", "cp311", "linux_aarch64"}, target), Error);
  EXPECT_THROW(check_built_tags({"py3", "none", "macosx_11_0_arm64"}, target), Error);
}

}  // namespace
}  // namespace veneer::python
