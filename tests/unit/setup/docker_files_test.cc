#include "setup/docker_files.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/json.hh"
#include "owners/dockerfile.hh"

namespace veneer::setup {
namespace {

using testing::HasSubstr;
using testing::Not;

DockerFacts shop() {
  DockerFacts facts;
  facts.image = "ghcr.io/acme/shop";
  facts.from = "python:3.12-slim-bookworm";
  facts.snapshot = "20260101T000000Z";
  facts.uv = "0.9.5";
  facts.packages = {"libpango-1.0-0"};
  facts.build_packages = {"gcc", "git"};
  facts.selection = {"--extra", "pdf"};
  facts.local_files = {"wheels/a b-1.0-py3-none-any.whl", "c-1.0-py3-none-any.whl"};
  facts.run.files = {{"assets", "/app/assets", std::nullopt}, {"entry point.sh", "/usr/local/bin/entry", 0755}};
  facts.run.empty_files = {"/var/log/cron.log"};
  facts.run.writable = {"/app/it's data"};
  facts.run.environment = {{"GREETING", "say \"hi\" for $5 \\"}};
  facts.run.entrypoint = {"entry", "a b"};
  facts.run.cmd = {"serve"};
  facts.run.expose = {"8000/tcp"};
  facts.is_package = true;
  facts.ingredients = R"({"base":"python:3.12-slim-bookworm","packages":"a \"b\""})";
  facts.fingerprint = "0123456789abcdef";
  return facts;
}

/// As a builder reads it: its stages, and the instructions of the last.
owners::Dockerfile parsed(const GeneratedFile& file) {
  return owners::parse_dockerfile(text_of(file, "0.1.0"), file.name);
}

const owners::Instruction* find(const owners::Stage& stage, std::string_view name) {
  for (const owners::Instruction& instruction : stage.instructions) {
    if (instruction.name == name) return &instruction;
  }
  return nullptr;
}

TEST(DockerFiles, AreReadByABuilder) {
  const owners::Dockerfile base = parsed(docker_base(shop()));
  ASSERT_EQ(base.stages.size(), 3u);
  EXPECT_EQ(base.stages[0].image, "python:3.12-slim-bookworm");
  EXPECT_EQ(base.stages[1].name, "build");
  EXPECT_EQ(base.stages[2].image, "system");  // neither compilers nor uv
  const owners::Dockerfile app = parsed(dockerfile(shop()));
  ASSERT_EQ(app.stages.size(), 2u);
  ASSERT_EQ(app.arguments.size(), 1u);
  EXPECT_EQ(app.arguments[0].text, "BASE=ghcr.io/acme/shop-base:0123456789abcdef");
  EXPECT_EQ(app.stages[0].image, "${BASE}-build");
  EXPECT_EQ(app.stages[1].image, "${BASE}");
  EXPECT_EQ(*find(app.stages[1], "ENTRYPOINT")->words, (std::vector<std::string>{"entry", "a b"}));
  EXPECT_EQ(*find(app.stages[1], "CMD")->words, (std::vector<std::string>{"serve"}));
}

TEST(DockerFiles, TheImageTakesFromItsBuildOnlyWhatTheApplicationAdds) {
  const owners::Dockerfile app = parsed(dockerfile(shop()));
  std::vector<std::string> copies;
  for (const owners::Instruction& instruction : app.stages[1].instructions) {
    EXPECT_NE(instruction.name, "RUN") << instruction.text;  // a layer more for each release
    if (instruction.name == "COPY" || instruction.name == "ADD") copies.push_back(instruction.text);
  }
  EXPECT_EQ(copies, std::vector<std::string>{"/out/ /"});
  EXPECT_THAT(dockerfile(shop()).body, HasSubstr("git clean -ffdxq"));
}

TEST(DockerFiles, QuoteWhatTheProjectSays) {
  const std::string base = docker_base(shop()).body;
  EXPECT_THAT(base, HasSubstr(R"(mkdir -p '/app/it'\''s data'; chown 1000:1000 '/app/it'\''s data')"));
  EXPECT_THAT(base, HasSubstr(R"(COPY ["wheels/a b-1.0-py3-none-any.whl","./wheels/"])"));
  EXPECT_THAT(base, HasSubstr(R"(COPY ["c-1.0-py3-none-any.whl","./"])"));
  EXPECT_THAT(base, HasSubstr("--no-default-groups --extra pdf --no-emit-project"));
  const std::string app = dockerfile(shop()).body;
  EXPECT_THAT(app, HasSubstr(R"(ENV GREETING="say \"hi\" for \$5 \\")"));
  EXPECT_THAT(app, HasSubstr("chmod -R 755 '/out/usr/local/bin/entry'"));
  EXPECT_THAT(app, HasSubstr("chmod -R u=rwX,go=rX '/out/app/assets'"));
}

TEST(DockerFiles, ABaseSaysWhatItWasMadeOf) {
  const DockerChoices choices = read_docker_base(text_of(docker_base(shop()), "0.1.0"));
  EXPECT_EQ(choices.uv, "0.9.5");
  EXPECT_EQ(choices.snapshot, "20260101T000000Z");
  EXPECT_EQ(choices.ingredients, shop().ingredients);
  EXPECT_EQ(parse_json(*choices.ingredients).at("packages").string(), "a \"b\"");
  EXPECT_FALSE(read_docker_base("FROM scratch\n").ingredients);
  EXPECT_FALSE(read_docker_base("LABEL dev.veneer.base=").ingredients);
  EXPECT_FALSE(read_docker_base("LABEL dev.veneer.base=\"").ingredients);
  EXPECT_EQ(read_docker_base("LABEL dev.veneer.base=\"\\\"").ingredients, "\\");
}

TEST(DockerFiles, TheRecipeIsWhatIsNotNamed) {
  DockerFacts named = shop();
  named.from = "debian:bookworm-slim";
  named.snapshot.clear();
  named.uv = "1";
  named.packages = {"x", "y"};
  named.local_files.clear();
  named.image = "other";
  named.run.cmd = {"other"};
  named.run.files.clear();
  named.ingredients = "{}";
  EXPECT_EQ(docker_recipe(named), docker_recipe(shop()));
  const auto differs = [](auto edit) {
    DockerFacts facts = shop();
    edit(facts);
    EXPECT_NE(docker_recipe(facts), docker_recipe(shop()));
  };
  differs([](DockerFacts& facts) { facts.packages.clear(); });
  differs([](DockerFacts& facts) { facts.selection.clear(); });
  differs([](DockerFacts& facts) { facts.run.user = 7; });
  differs([](DockerFacts& facts) { facts.run.writable.clear(); });
  differs([](DockerFacts& facts) { facts.run.empty_files.clear(); });
  differs([](DockerFacts& facts) { facts.run.workdir = "/srv"; });
}

TEST(DockerFiles, WithoutPackagesNothingIsAskedOfTheArchive) {
  DockerFacts facts = shop();
  facts.packages.clear();
  facts.build_packages.clear();
  EXPECT_THAT(docker_base(facts).body, Not(HasSubstr("apt-get")));
}

TEST(DockerFiles, NothingHasAPlaceHolderLeft) {
  for (const GeneratedFile& file :
       {docker_base(shop()), dockerfile(shop()), docker_ignore(), docker_makefile(shop())}) {
    for (const char* name : {"@NAME@", "@BASE@", "@RUN@", "@FROM@", "@UV@", "@END@", "@PACKAGES@", "@IMAGE@"}) {
      EXPECT_THAT(file.body, Not(HasSubstr(name))) << file.name;
    }
    EXPECT_TRUE(file.body.ends_with('\n'));
  }
}

}  // namespace
}  // namespace veneer::setup
