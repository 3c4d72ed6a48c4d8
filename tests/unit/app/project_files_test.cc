// Which files of a project's folder are its application's: where the ignore file of docker build lies.
#include "app/project_files.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/start_command.hh"
#include "tests/support/errors.hh"
#include "tests/support/project_folder.hh"

namespace veneer::app {
namespace {

using testing::ElementsAre;

/// A member of a workspace in apps/web.
class ProjectFilesTest : public testing::Test {
 protected:
  ProjectFilesTest() {
    for (const char* file : {"notes.md", "data.csv", "main.py"}) folder_.write(std::string("apps/web/") + file, "x\n");
    folder_.write("apps/web/pyproject.toml", "[project]\nname = \"web\"\nversion = \"1\"\n");
  }

  build::ProjectFiles files() const {
    build::BuildInputs inputs;
    inputs.project = python::read_project(folder_.path() / "apps/web");
    inputs.workspace = folder_.path();
    inputs.files = list_files(inputs.project, std::nullopt);
    choose_files(inputs.project, std::nullopt, IgnoreFile(inputs.project.folder, ignore_files_of(inputs)),
                 inputs.files);
    return inputs.files;
  }

  tests::ProjectFolder folder_;
};

TEST_F(ProjectFilesTest, AMemberThatIsBuiltAtTheRootHasTheRootsIgnoreFile) {
  folder_.write("apps/web/Dockerfile", "FROM python:3.13\nCOPY uv.lock ./\nCOPY apps/web .\n");
  folder_.write("apps/web/.dockerignore", "*.md\n");
  folder_.write(".dockerignore", "# at the root\n*.py\napps/web/*.csv\n");
  EXPECT_THAT(files().left_out, ElementsAre("data.csv"));
  EXPECT_EQ(files().ignore_file, "../../.dockerignore");
  EXPECT_THAT(left_out_text(files()), "1 by ../../.dockerignore");

  folder_.write(".dockerignore", "**/*.py\n!apps/web/main.py\n[\n");
  EXPECT_THAT(tests::refusal([&] { files(); }), testing::HasSubstr(".dockerignore: line 3"));
}

TEST_F(ProjectFilesTest, TheOneBesideItsDockerfileGoesBeforeIt) {
  folder_.write("apps/web/Dockerfile", "FROM python:3.13\nCOPY uv.lock ./\nCOPY apps/web .\n");
  folder_.write("apps/web/Dockerfile.dockerignore", "apps/web/*.md\n*.csv\n");
  folder_.write(".dockerignore", "apps/web/*.csv\n");
  EXPECT_THAT(files().left_out, ElementsAre("notes.md"));
}

TEST_F(ProjectFilesTest, AMemberThatIsBuiltInItsFolderHasItsOwn) {
  folder_.write("apps/web/Dockerfile", "FROM python:3.13\nCOPY . .\n");
  folder_.write("apps/web/.dockerignore", "*.md\n");
  folder_.write(".dockerignore", "apps/web/*.csv\n");
  EXPECT_THAT(files().left_out, ElementsAre("notes.md"));
}

}  // namespace
}  // namespace veneer::app
