// What a project gets that says nothing in [tool.veneer].
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "build/image_builder.hh"
#include "foundation/file.hh"

namespace veneer::build {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class DefaultsTest : public testing::Test {
 protected:
  DefaultsTest() {
    inputs_.project.folder = folder_.path();
    inputs_.project.name = "shop";
    write_text_file(folder_.path() / "main.py", "print()\n");
    for (const char* name : {"tests", "venv", "assets"}) fs::create_directories(folder_.path() / name);
    write_text_file(folder_.path() / "venv" / "pyvenv.cfg", "");
    for (const char* name : {"uv.lock", ".env", "Dockerfile", "pyproject.toml"})
      write_text_file(folder_.path() / name, "");
  }

  std::vector<std::string> files() const {
    std::vector<std::string> result;
    for (const python::FileRule& rule : inputs_.project.image.files) result.push_back(rule.from + ">" + rule.to);
    return result;
  }

  TemporaryFolder folder_{fs::temp_directory_path(), "defaults-test"};
  BuildInputs inputs_;
};

TEST_F(DefaultsTest, AProjectThatIsNoPackageBringsItsFiles) {
  write_text_file(folder_.path() / "assets" / "a.txt", "");
  inputs_.files.listed = files_below(folder_.path());
  fill_defaults(inputs_);
  EXPECT_THAT(files(), ElementsAre("assets>/app/assets", "main.py>/app/main.py", "pyproject.toml>/app/pyproject.toml"));
}

TEST_F(DefaultsTest, FilesThatGitDoesNotListStayOut) {
  inputs_.files.listed = {"assets/a.txt", "assets/b.txt", "tests/x.py"};
  fill_defaults(inputs_);
  EXPECT_THAT(files(), ElementsAre("assets>/app/assets"));
}

TEST_F(DefaultsTest, APackageBringsNone) {
  inputs_.project.is_package = true;
  fill_defaults(inputs_);
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(DefaultsTest, WhatTellsOfTheProjectIsNoApplication) {
  const auto is_application = [&](const char* name) {
    inputs_.files.listed = {"Makefile", "README.md", "LICENSE", "LICENSE-MIT.txt", "pyproject.toml", "uv.lock", name};
    fill_defaults(inputs_);
    return have_application(inputs_);
  };
  for (const char* name :
       {"tests/x.py", "licence", "Changelog.rst", "NOTICE", "requirements-dev.txt", "tox.ini", ".env"})
    EXPECT_FALSE(is_application(name)) << name;
  fs::create_directories(folder_.path() / "readme");
  for (const char* name : {"main.py", "a.json", "assets/a.txt", "security.py", "readme/page.html"})
    EXPECT_TRUE(is_application(name)) << name;
  for (const auto& files : {std::vector<python::FileRule>{}, {{"README.md", "/app/README.md", std::nullopt}}}) {
    inputs_.project.image.has_files = true;
    inputs_.project.image.files = files;
    fill_defaults(inputs_);
    EXPECT_TRUE(have_application(inputs_));
  }
}

TEST_F(DefaultsTest, WhatIsSaidStays) {
  inputs_.project.image.entrypoint = {"/bin/true"};
  inputs_.project.image.has_files = true;
  fill_defaults(inputs_);
  EXPECT_THAT(files(), IsEmpty());
  EXPECT_THAT(inputs_.project.image.entrypoint, ElementsAre("/bin/true"));
}

}  // namespace
}  // namespace veneer::build
