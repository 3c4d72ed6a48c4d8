#include "owners/compose.hh"

#include <gmock/gmock.h>

#include "foundation/error.hh"
#include "owners/procfile.hh"
#include "owners/yaml.hh"

namespace veneer::owners {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ComposeFile parse(std::string_view text) { return parse_compose(text, "compose.yaml"); }

TEST(ComposeReader, FindsTheServicesThatAreBuilt) {
  const ComposeFile file = parse(
      "x-base: &base\n  build: {context: ./, dockerfile: docker/Dockerfile, target: prod}\nservices:\n  db:\n    "
      "image: postgres\n"
      "  web:\n    <<: *base\n    command: uvicorn app:app --host 0.0.0.0 --port ${PORT:-8000}\n"
      "  worker:\n    build: .\n    command: [\"celery\", \"-A\", \"app $$X\"]\n  other:\n    build: ./other\n");
  const std::vector<BuiltService>& here = file.services;
  ASSERT_EQ(here.size(), 3U);
  EXPECT_EQ(here[0].context, "./");
  EXPECT_EQ(here[2].context, "./other");
  EXPECT_EQ(here[0].name, "web");
  EXPECT_EQ(here[0].dockerfile, "docker/Dockerfile");
  EXPECT_EQ(here[0].target, "prod");
  EXPECT_THAT(here[0].command->value.words, ElementsAre("uvicorn", "app:app", "--host", "0.0.0.0", "--port", "8000"));
  EXPECT_EQ(here[0].command->line, 8U);
  EXPECT_THAT(here[1].command->value.words, ElementsAre("celery", "-A", "app $X"));
}

TEST(ComposeReader, SplitsTextsLikeAShellAndRunsNone) {
  const BuiltService service =
      parse("services:\n  a:\n    build: .\n    command: >\n      bash -c \"a &&\n      b\"\n").services.at(0);
  EXPECT_THAT(service.command->value.words, ElementsAre("bash", "-c", "a && b"));
}

TEST(ComposeReader, LeavesCommandsWithUnknownVariables) {
  const BuiltService service = parse("services:\n  a:\n    build: .\n    command: run $PORT\n").services.at(0);
  EXPECT_FALSE(service.command);
  EXPECT_THAT(service.unread.at(0).value, HasSubstr("has no default"));
}

TEST(YamlReader, IsBounded) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += "*a" + std::to_string(i - 1) + ", ";
    bomb += "]\n";
  }
  EXPECT_THROW(parse_yaml(bomb), Error);
  EXPECT_THROW(parse_yaml(std::string(5000, '[')), Error);
  EXPECT_THROW(parse_yaml("a: *gone"), Error);
  EXPECT_THROW(parse_yaml("a: [b"), Error);
  EXPECT_TRUE(parse_yaml("").is_null());
}

TEST(ProcfileReader, ReadsProcesses) {
  const std::vector<Process> all =
      parse_procfile("# comment: x\nweb: gunicorn app:app  \n\nrelease:\nwork-er:python w.py\r\n");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].command.value, "gunicorn app:app");
  EXPECT_EQ(all[0].command.line, 2U);
  EXPECT_EQ(all[1].kind, "work-er");
  EXPECT_EQ(all[1].command.value, "python w.py");
}

TEST(ComposeTest, ImagesOfServices) {
  const ComposeFile file = parse_compose(
      "x-base: &base\n  image: ghcr.io/acme/shop:${TAG:-latest}\nservices:\n  web: *base\n  cron:\n    <<: *base\n"
      "  worker:\n    build: .\n    image: registry.example:5000/team/shop:$TAG\n  db:\n    image: postgres\n"
      "  odd:\n    image: ${NAME}\n  none:\n    build: .\n",
      "compose.yaml");
  std::string said;
  for (const ServiceImage& image : file.images) said += image.service + " " + image.image + "\n";
  EXPECT_EQ(said,
            "web ghcr.io/acme/shop:latest\ncron ghcr.io/acme/shop:latest\nworker registry.example:5000/team/shop\n"
            "db postgres\n");
}

}  // namespace
}  // namespace veneer::owners
