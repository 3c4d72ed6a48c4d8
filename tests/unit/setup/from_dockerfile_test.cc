#include "setup/from_dockerfile.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "start/taken.hh"

namespace veneer::setup {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A project with these files, and what becomes of its Dockerfile.
struct Example {
  std::map<std::string, std::string> texts;
  start::Inputs inputs;
  std::string base_file;

  explicit Example(std::map<std::string, std::string> files) : texts(std::move(files)) {
    inputs.project = python::parse_project("[project]\nname = 'shop'\n[build-system]\nrequires = []\n", "/shop");
    for (const auto& [name, text] : texts) inputs.files.push_back(name);
    inputs.read = [this](const std::string& name) {
      const auto found = texts.find(name);
      return found == texts.end() ? std::nullopt : std::optional(found->second);
    };
    inputs.is_executable = [](const std::string&) { return false; };
    inputs.has_program = [](const std::string& name) { return name != "curl"; };
    inputs.parse = [](const std::vector<std::string>&) { return std::nullopt; };
  }

  FromDockerfile converted() {
    std::vector<owners::Dockerfile> files = {owners::parse_dockerfile(texts.at("Dockerfile"), "Dockerfile")};
    base_file = base_dockerfile_of(inputs, files[0], "");
    start::Taken base;
    if (!base_file.empty()) {
      files.insert(files.begin(), owners::parse_dockerfile(texts.at(base_file), base_file));
      base = start::taken_from(inputs, files[0], "", {});
    }
    return convert(inputs, files, "", start::decide(inputs, {}), base, choose_packages(inputs, files, ""), false);
  }
};

std::string keys_of(const FromDockerfile& converted) {
  std::string text;
  for (const Setting& setting : converted.settings) text += setting.table.substr(5) + ": " + toml_lines(setting);
  return text;
}

std::string outcome_of(const FromDockerfile& converted, const std::string& place) {
  for (const LineOutcome& line : converted.lines) {
    if (line.place == place) return line.becomes + " | " + line.why;
  }
  return "none";
}

TEST(FromDockerfileTest, EachLineHasItsKey) {
  Example example({{"Dockerfile",
                    "FROM python:3.12-slim-bookworm\nWORKDIR /srv\nENV MODE=live API_TOKEN=x\nCOPY run.sh run.sh\n"
                    "RUN mkdir -p data && touch /var/log/a.log && chmod +x run.sh\nEXPOSE 9000\nUSER 7:8\n"
                    "HEALTHCHECK --interval=1m --timeout=1500ms --retries=2 CMD test -e /x\nENTRYPOINT [\"./run.sh\"]\n"
                    "CMD [\"serve\"]\n"},
                   {"run.sh", "#!/bin/sh\nexec \"$@\"\n"}});
  const FromDockerfile converted = example.converted();
  EXPECT_EQ(keys_of(converted),
            "veneer: python = \"3.12\"  # Dockerfile:1\n"
            "veneer: base = \"debian:bookworm\"  # Dockerfile:1\n"
            "veneer: dockerfile = false  # what Dockerfile says stands here now\n"
            "veneer.image: entrypoint = [\"./run.sh\"]  # Dockerfile:9\n"
            "veneer.image: cmd = [\"serve\"]  # Dockerfile:9\n"
            "veneer.image: workdir = \"/srv\"  # Dockerfile:2\n"
            "veneer.image: user = \"7:8\"  # Dockerfile:7\n"
            "veneer.image: expose = [\"9000\"]  # Dockerfile:6\n"
            "veneer.image: health = { cmd = [\"test\", \"-e\", \"/x\"], interval = 60, timeout = 2, retries = 2 }"
            "  # Dockerfile:8\n"
            "veneer.image: files = [{ from = \"run.sh\", to = \"/srv/run.sh\", mode = \"0755\" }]  # Dockerfile:4\n"
            "veneer.image: empty_files = [\"/var/log/a.log\"]  # Dockerfile:5\n"
            "veneer.image: writable = [\"/srv/data\"]  # Dockerfile:5\n"
            "veneer.image.env: MODE = \"live\"  # Dockerfile:3\n");
  EXPECT_EQ(converted.lines.size(), 10U);
  EXPECT_EQ(outcome_of(converted, "Dockerfile:1"), "python, base | ");
  EXPECT_THAT(outcome_of(converted, "Dockerfile:3"), HasSubstr("env | ENV API_TOKEN: it looks like a secret"));
  EXPECT_EQ(outcome_of(converted, "Dockerfile:5"), "writable; empty_files; files | ");
  EXPECT_EQ(outcome_of(converted, "Dockerfile:10"), "cmd | ");
}

TEST(FromDockerfileTest, PackagesForBuildsAreLeftOutUnlessTheyAreCalled) {
  Example example({{"Dockerfile",
                    "FROM debian:bookworm\nRUN apt-get update && apt-get install -y gcc git curl wget libpq-dev libpq5 "
                    "tzdata cron\nHEALTHCHECK CMD curl -f localhost\nCMD [\"python\"]\n"},
                   {"app.py", "import subprocess\nsubprocess.run(['git', 'log'])\n# wget it\n"}});
  const PackageChoice choice =
      choose_packages(example.inputs, {owners::parse_dockerfile(example.texts["Dockerfile"], "Dockerfile")}, "");
  std::vector<std::string> kept;
  for (const auto& package : choice.kept) kept.push_back(package.value);
  EXPECT_THAT(kept, ElementsAre("git", "curl", "libpq5", "cron"));
  const FromDockerfile converted = example.converted();
  EXPECT_THAT(outcome_of(converted, "Dockerfile:2"), HasSubstr("packages | gcc is left out: it is for compiling"));
  EXPECT_THAT(outcome_of(converted, "Dockerfile:2"), HasSubstr("tzdata is left out: the base has it"));
  EXPECT_THAT(keys_of(converted),
              HasSubstr("user = \"0:0\"  # no USER in the Dockerfile, and cron must be started by"));
}

TEST(FromDockerfileTest, ABaseOfTheProjectsOwnIsReadToo) {
  Example example(
      {{"pyproject.toml", ""},
       {"Dockerfile.base",
        "FROM python:3.11-slim\nRUN apt-get install -y libpango-1.0-0\nWORKDIR /srv\nENV A=base B=base\n"
        "COPY pyproject.toml ./\nRUN uv sync\n"},
       {"Dockerfile",
        "ARG BASE=registry.example/shop-base\nFROM $BASE:latest AS builder\nCOPY . .\nRUN uv pip install .\n"
        "FROM $BASE:latest\nCOPY --from=builder /app/.venv /app/.venv\nENV B=app\nCMD [\"python\", \"-m\", "
        "\"shop\"]\n"}});
  const FromDockerfile converted = example.converted();
  EXPECT_EQ(example.base_file, "Dockerfile.base");
  const std::string keys = keys_of(converted);
  for (const char* key :
       {"python = \"3.11\"  # Dockerfile.base:1\n", "packages = [\"libpango-1.0-0\"]  # Dockerfile.base:2\n",
        "workdir = \"/srv\"  # Dockerfile.base:3\n", "A = \"base\"  # Dockerfile.base:4\n",
        "B = \"app\"  # Dockerfile:7\n"})
    EXPECT_THAT(keys, HasSubstr(key));
  EXPECT_EQ(outcome_of(converted, "Dockerfile:3"), " | a stage that builds; veneer builds wheels by itself");
  EXPECT_THAT(outcome_of(converted, "Dockerfile:5"), HasSubstr("the image that Dockerfile.base makes"));
  EXPECT_THAT(outcome_of(converted, "Dockerfile:6"), HasSubstr("which the image has of its own"));
  EXPECT_THAT(outcome_of(converted, "Dockerfile.base:5"), HasSubstr("for the installation"));
  EXPECT_EQ(outcome_of(converted, "Dockerfile.base:6"), " | veneer installs what uv.lock says");
}

}  // namespace
}  // namespace veneer::setup
