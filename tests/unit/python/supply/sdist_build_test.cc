#include "python/supply/sdist_build.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "python/supply/app_wheel.hh"
#include "tests/support/project_folder.hh"
#include "tests/support/tar_builder.hh"

namespace veneer::python {
namespace {

using testing::HasSubstr;
using tests::ProjectFolder;

constexpr const char* pyproject = R"([project]
name = "old"
version = "1.5"
[build-system]
requires = ["uv_build>=0.5"]
build-backend = "uv_build"
)";

class SdistBuildTest : public testing::Test {
 protected:
  void SetUp() override {
    VENEER_NEEDS_UV();
    uv_ = find_uv(tests::uv_path());
    target_ = {.major = 3, .minor = 11, .full_version = "3.11.2", .libc = {}, .machine = "x86_64", .interpreter = {}};
    folder_.write("old-1.5/pyproject.toml", pyproject);
    folder_.write("old-1.5/PKG-INFO", "Metadata-Version: 2.1\nName: old\nVersion: 1.5\n");
    folder_.write("old-1.5/src/old/__init__.py", "");
  }
  void run_in_folder(std::vector<std::string> arguments) {
    Command command;
    command.arguments = std::move(arguments);
    command.folder = folder_.path();
    run_checked(command);
  }
  SourceBuild source(const std::string& file, PackageKind kind = PackageKind::sdist) {
    SourceBuild build;
    build.package.name = "old";
    build.package.version = "1.5";
    build.package.kind = kind;
    build.package.file = file;
    build.archive = folder_.path() / file;
    if (std::filesystem::exists(build.archive)) {
      File archive(build.archive);
      build.archive_hash = {sha256(archive)};
    }
    return build;
  }
  BuiltWheel build(const SourceBuild& source) {
    BuiltWheels cache(folder_.beside("cache"));
    return build_source(source, target_, uv_, cache);
  }
  std::string refusal(const SourceBuild& source) {
    try {
      build(source);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  ProjectFolder folder_;
  UvProgram uv_;
  Target target_;
};

TEST_F(SdistBuildTest, BuildsTarballsOnce) {
  run_in_folder({"tar", "czf", "old-1.5.tar.gz", "old-1.5"});
  const BuiltWheel wheel = build(source("old-1.5.tar.gz"));
  EXPECT_EQ(wheel.origin, BuildOrigin::built);
  EXPECT_EQ(wheel.path.filename(), "old-1.5-py3-none-any.whl");
  EXPECT_EQ(build(source("old-1.5.tar.gz")).origin, BuildOrigin::cache);
}

TEST_F(SdistBuildTest, BuildsZipsAndSubdirectories) {
  run_in_folder({"python3", "-m", "zipfile", "-c", "old-1.5.zip", "old-1.5"});
  EXPECT_EQ(build(source("old-1.5.zip")).path.filename(), "old-1.5-py3-none-any.whl");
  run_in_folder({"mkdir", "-p", "repo-main/packages"});
  run_in_folder({"cp", "-r", "old-1.5", "repo-main/packages/old"});
  run_in_folder({"tar", "czf", "main.tar.gz", "repo-main"});
  SourceBuild archive = source("main.tar.gz", PackageKind::archive);
  archive.package.subdirectory = "packages/old";
  EXPECT_EQ(build(archive).path.filename(), "old-1.5-py3-none-any.whl");
}

TEST_F(SdistBuildTest, BuildsACommit) {
  folder_.commit_all();
  SourceBuild source;
  source.package.name = "old";
  source.package.kind = PackageKind::git;
  source.package.location = "file://" + folder_.path().native();
  source.package.git_commit = folder_.git({"rev-parse", "HEAD"});
  source.package.subdirectory = "old-1.5";
  folder_.write("old-1.5/pyproject.toml", "broken");
  folder_.commit_all();
  EXPECT_EQ(build(source).path.filename(), "old-1.5-py3-none-any.whl");
  source.package.git_commit = std::string(40, '0');
  EXPECT_THAT(refusal(source), HasSubstr("git cannot get"));
  source.package.git_commit = "--upload-pack=x";
  EXPECT_THAT(refusal(source), HasSubstr("no commit"));
}

TEST_F(SdistBuildTest, KeyHoldsWhatDecidesTheWheel) {
  run_in_folder({"tar", "czf", "old-1.5.tar.gz", "old-1.5"});
  const SourceBuild plain = source("old-1.5.tar.gz");
  const Hash key = source_build_key(plain, target_, uv_);
  SourceBuild constrained = plain;
  constrained.constraints = {"setuptools==80.10.2"};
  EXPECT_NE(source_build_key(constrained, target_, uv_), key);
  Target other = target_;
  other.minor = 12;
  EXPECT_NE(source_build_key(plain, other, uv_), key);
  other = target_;
  other.full_version = "3.11.9";
  EXPECT_EQ(source_build_key(plain, other, uv_), key);
  SourceBuild moved = plain;
  moved.archive = "/elsewhere/old-1.5.tar.gz";
  EXPECT_EQ(source_build_key(moved, target_, uv_), key);
}

// By the real setuptools and the machine's compiler.
TEST_F(SdistBuildTest, NamesAHeaderThatIsMissing) {
  folder_.write("old-1.5/pyproject.toml",
                "[project]\nname = \"old\"\nversion = \"1.5\"\n[build-system]\nrequires = [\"setuptools>=77\"]\n"
                "build-backend = \"setuptools.build_meta\"\n");
  folder_.write("old-1.5/setup.py",
                "from setuptools import setup, Extension\nsetup(ext_modules=[Extension('old', ['old.c'])])\n");
  folder_.write("old-1.5/old.c", "#include <no_such_library/api.h>\n");
  run_in_folder({"tar", "czf", "old-1.5.tar.gz", "old-1.5"});
  EXPECT_THAT(refusal(source("old-1.5.tar.gz")), HasSubstr("the header no_such_library/api.h is missing"));
}

TEST_F(SdistBuildTest, RefusesOtherKindsAndHostileArchives) {
  folder_.write("old-1.5.tar.bz2", "BZh");
  EXPECT_THAT(refusal(source("old-1.5.tar.bz2")), HasSubstr("old-1.5.tar.bz2"));
  // A link that leads out of the folder, then a file through it.
  run_in_folder({"sh", "-c",
                 "mkdir evil && ln -s /tmp evil/out && tar cf evil.tar evil && rm evil/out && mkdir evil/out && "
                 "echo x > evil/out/veneer-evil && tar rf evil.tar evil/out/veneer-evil && gzip evil.tar"});
  SourceBuild evil = source("evil.tar.gz", PackageKind::archive);
  evil.package.subdirectory = "x";
  EXPECT_THAT(refusal(evil), HasSubstr("leads outside"));
  run_in_folder({"sh", "-c", "echo x > up && tar czPf up.tar.gz --transform 's,^,../../,' up"});
  evil = source("up.tar.gz", PackageKind::archive);
  evil.package.subdirectory = "x";
  EXPECT_THAT(refusal(evil), HasSubstr("leads outside"));
  EXPECT_FALSE(std::filesystem::exists("/tmp/veneer-evil"));
  tests::TarBuilder many;
  for (int i = 0; i < 600; ++i) {
    std::string path = std::to_string(i);
    for (int j = 0; j < 40; ++j) path += "/d";
    many.file(path + "/x");
  }
  folder_.write("many.tar.gz", many.finish());
  evil = source("many.tar.gz", PackageKind::archive);
  evil.package.subdirectory = "x";
  EXPECT_THAT(refusal(evil), HasSubstr("more than 20000 folders"));
}

TEST(WheelFileTags, AreTheLastThreeFields) {
  const WheelTags tags = wheel_file_tags("a_b-1.0-2-cp38.cp39-abi3-manylinux_2_17_x86_64.whl");
  EXPECT_EQ(tags.python, "cp38.cp39");
  EXPECT_EQ(tags.abi, "abi3");
  EXPECT_EQ(tags.platform, "manylinux_2_17_x86_64");
  EXPECT_THROW(wheel_file_tags("a-b.whl"), Error);
  EXPECT_THROW(wheel_file_tags("a-1-py3-none-any.zip"), Error);
}

}  // namespace
}  // namespace veneer::python
