#include "setup/project_files.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace veneer::setup {
namespace {

using testing::HasSubstr;
using testing::Not;

ProjectFacts shop() {
  ProjectFacts facts;
  facts.name = "shop";
  facts.image = "ghcr.io/acme/shop";
  facts.live_tag = "live";
  facts.has_registry = true;
  facts.compose_file = "compose.yaml";
  facts.services = {"web", "worker"};
  facts.deploys = {{"v2", 9'000'000, 8'000'000, 7'000'000, 6'000'000}, {"v3", 5'000'000, 4'000'000, 3'000, 2'000}};
  return facts;
}

TEST(ProjectFilesTest, NothingIsLeftOfTheTemplates) {
  for (const Rebuild rebuild : {Rebuild::stale, Rebuild::weekly}) {
    for (const char* folder : {"", "services/shop"}) {
      for (const char* image : {"ghcr.io/acme/shop", "shop", "registry.example:5000/shop"}) {
        ProjectFacts facts = shop();
        facts.rebuild = rebuild;
        facts.folder = folder;
        facts.image = image;
        facts.has_registry = facts.image.find('/') != std::string::npos;
        for (const GeneratedFile& file :
             {makefile(facts), workflow(facts), page(facts), docker_workflow(facts), docker_page(facts)}) {
          EXPECT_TRUE(file.body.ends_with("\n")) << file.name;
          EXPECT_FALSE(file.body.ends_with("\n\n")) << file.name;
          EXPECT_THAT(file.body, Not(HasSubstr("{{ {"))) << file.name;
          EXPECT_THAT(file.body, Not(HasSubstr("{}"))) << file.name;
          EXPECT_THAT(file.body, HasSubstr("shop")) << file.name;
          for (std::size_t at = file.body.find("${{"); at != std::string::npos; at = file.body.find("${{", at + 1))
            EXPECT_NE(file.body[at + 3], '{') << file.name;
        }
        EXPECT_EQ(workflow(facts).body.find("veneer push") != std::string::npos, facts.has_registry);
        EXPECT_EQ(docker_workflow(facts).body.find("veneer.mk push") != std::string::npos, facts.has_registry);
        EXPECT_THAT(docker_workflow(facts).body, Not(HasSubstr("\n\n\n")));
        EXPECT_EQ(workflow(facts).body.find("schedule:") != std::string::npos, rebuild == Rebuild::weekly);
      }
    }
  }
}

TEST(ProjectFilesTest, AWorkflowAProject) {
  ProjectFacts facts = shop();
  EXPECT_EQ(workflow_name(facts), ".github/workflows/image.yml");
  facts.folder = "services/shop";
  EXPECT_EQ(workflow_name(facts), ".github/workflows/image-shop.yml");
  EXPECT_THAT(workflow(facts).body, HasSubstr("working-directory: services/shop\n"));
}

TEST(ProjectFilesTest, ThePageTellsWhereItsTableEnds) {
  ProjectFacts facts = shop();
  EXPECT_EQ(last_deploy_in(page(facts).body), "v3");
  EXPECT_THAT(page(facts).body, HasSubstr("| v2 | 9.00 MB | 8.00 MB | **7.00 MB** | 6.00 MB |\n"));
  EXPECT_THAT(page(facts).body, HasSubstr("(web, worker)"));
  facts.deploys.clear();
  EXPECT_EQ(last_deploy_in(page(facts).body), "");
  EXPECT_EQ(last_deploy_in("## What a deploy costs here\n"), "");
  EXPECT_EQ(last_deploy_in("## What a deploy costs here\n| v1"), "");
}

}  // namespace
}  // namespace veneer::setup
