#include "owners/dockerfile.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "foundation/error.hh"
#include "owners/evaluate.hh"
#include "owners/expand.hh"
#include "owners/shell.hh"
#include "owners/uv_sync.hh"

namespace veneer::owners {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Dockerfile parse(std::string_view text) { return parse_dockerfile(text, "Dockerfile"); }
const Instruction& only(const Dockerfile& file) { return file.stages.back().instructions.at(0); }

std::string refusal(std::string_view text) {
  try {
    parse(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

template <typename Type>
std::vector<std::string> with_lines(const std::vector<Located<Type>>& all) {
  std::vector<std::string> texts;
  for (const auto& item : all) texts.push_back(item.value + " " + std::to_string(item.line));
  return texts;
}

TEST(DockerfileParser, JoinsLinesThatGoOn) {
  const Dockerfile file = parse("FROM a\nRUN one \\\n  # said in between\n\n  two \\  \n three\nUSER 5\n");
  EXPECT_EQ(only(file).text, "one   two  three");
  EXPECT_EQ(only(file).line, 2U);
  EXPECT_EQ(file.stages[0].instructions.at(1).line, 7U);
}

TEST(DockerfileParser, KnowsTheEscapeDirective) {
  const Dockerfile file = parse("# syntax=docker/dockerfile:1\n# escape=`\nFROM a\nRUN dir `\n c:\\\nUSER 5\n");
  EXPECT_EQ(only(file).text, "dir  c:\\");
  EXPECT_EQ(file.stages[0].instructions.size(), 2U);
  // Below a comment or an empty line it is a comment.
  EXPECT_EQ(parse("\n# escape=`\nFROM a\nUSER 5\n").escape, '\\');
  EXPECT_THAT(refusal("# escape=x\nFROM a\n"), HasSubstr("Dockerfile:1: escape"));
}

TEST(DockerfileParser, ReadsHereDocuments) {
  const Dockerfile file = parse(
      "FROM a\nRUN <<EOF\npip install x\n# no comment\nEOF\nCOPY <<-'ONE' <<TWO "
      "/to/\n\tfirst\n\tONE\nsecond\nTWO\nUSER 5\n");
  const auto& instructions = file.stages[0].instructions;
  ASSERT_EQ(instructions.size(), 3U);
  EXPECT_EQ(instructions[0].documents.at(0).text, "pip install x\n# no comment\n");
  EXPECT_EQ(instructions[1].documents.at(0).text, "first\n");
  EXPECT_FALSE(instructions[1].documents.at(0).is_expanded);
  EXPECT_EQ(instructions[1].documents.at(1).text, "second\n");
  EXPECT_EQ(instructions[2].line, 11U);
  EXPECT_THAT(refusal("FROM a\nRUN <<EOF\nx\n"), HasSubstr("Dockerfile:2: the here-document EOF is not ended"));
}

TEST(DockerfileParser, TellsExecFromShellForm) {
  EXPECT_THAT(*only(parse("FROM a\nCMD [\"a\", \"b c\"]\n")).words, ElementsAre("a", "b c"));
  EXPECT_FALSE(only(parse("FROM a\nCMD ['a']\n")).words);  // single quotes are no JSON: the shell's
  EXPECT_FALSE(only(parse("FROM a\nCMD [ -f x ] && y\n")).words);
}

TEST(DockerfileParser, ReadsFlagsAndNames) {
  const Dockerfile file = parse("FROM --platform=linux/amd64 a AS Build\nCOPY --from=x --link --chmod=755 a b\n");
  EXPECT_EQ(file.stages[0].name, "build");
  EXPECT_EQ(only(file).flag("from"), "x");
  EXPECT_EQ(only(file).flag("link"), "");
  EXPECT_FALSE(only(file).flag("chown"));
  EXPECT_EQ(file.find("BUILD"), file.stages.data());
  EXPECT_EQ(file.find("0"), file.stages.data());
  EXPECT_EQ(file.find("other"), nullptr);
}

TEST(DockerfileParser, RefusesWhatBuildKitRefuses) {
  EXPECT_THAT(refusal(""), HasSubstr("no FROM"));
  EXPECT_THAT(refusal("RUN x\nFROM a\n"), HasSubstr("Dockerfile:1: RUN stands above the first FROM"));
  EXPECT_THAT(refusal("FROM a\nPIP x\n"), HasSubstr("Dockerfile:2: PIP is no instruction"));
  EXPECT_THAT(refusal("FROM a b c\n"), HasSubstr("Dockerfile:1: FROM is neither"));
  EXPECT_THAT(refusal("FROM a AS \"x\n"), HasSubstr("Dockerfile:1: '\"x' is no name of a stage"));
  EXPECT_THAT(refusal("FROM a\nRUN\n"), HasSubstr("Dockerfile:2: RUN is empty"));
}

TEST(DockerfileWords, AreExpandedAsTheBuilderDoes) {
  const Lookup lookup = [](const std::string& name) -> std::optional<std::string> {
    if (name == "A") return "one";
    if (name == "EMPTY") return "";
    return std::nullopt;
  };
  const auto expanded = [&](std::string_view text) { return expand_word(text, '\\', lookup).text; };
  EXPECT_EQ(expanded("$A-${A}"), "one-one");
  EXPECT_EQ(expanded("'$A' \"$A\" \\$A"), "$A one $A");
  EXPECT_EQ(expanded("${B:-two}${EMPTY:-three}${EMPTY-four}"), "twothree");
  EXPECT_EQ(expanded("${A:+yes}${B:+no}${EMPTY+set}"), "yesset");
  EXPECT_EQ(expanded("${B:-${A:-x}}"), "one");
  EXPECT_EQ(expanded("\"a \\\" b\""), "a \" b");
  EXPECT_THAT(expand_word("$B", '\\', lookup).unset, ElementsAre("B"));
  EXPECT_THROW(expanded("${A%e}"), Error);
  EXPECT_THROW(expanded("'a"), Error);
  EXPECT_EQ(expand_words("a '$A b' c", '\\', lookup).at(1).text, "$A b");
}

TEST(StageFactsTest, ArgumentsHaveTheirScopes) {
  const StageFacts facts =
      evaluate(parse("ARG PYTHON=3.12\nARG LOST=x\nFROM python:${PYTHON}-slim AS one\nARG PYTHON\nARG DIR=/srv\n"
                     "ENV A=$PYTHON B=$LOST C=${DIR}\nFROM one\nWORKDIR $DIR\nWORKDIR app\nENV D=$A E=$D\n"));
  EXPECT_EQ(facts.base.value, "python:3.12-slim");
  EXPECT_EQ(facts.environment.at("A").value, "3.12");
  EXPECT_FALSE(facts.environment.contains("B"));  // a global ARG is not seen in a stage that does not name it
  EXPECT_EQ(facts.workdir->value, "/srv/app");
  EXPECT_EQ(facts.environment.at("D").value, "3.12");
  EXPECT_FALSE(facts.environment.contains("E"));  // of the same line
  EXPECT_THAT(facts.unread.at(0).value, HasSubstr("LOST has no value"));
}

TEST(StageFactsTest, AnEntrypointForgetsTheCommandOfTheStageBelow) {
  EXPECT_FALSE(evaluate(parse("FROM a AS one\nCMD [\"x\"]\nFROM one\nENTRYPOINT [\"y\"]\n")).cmd);
  EXPECT_TRUE(evaluate(parse("FROM a AS one\nCMD [\"x\"]\nFROM one\nCMD [\"z\"]\nENTRYPOINT [\"y\"]\n")).cmd);
  EXPECT_EQ(evaluate(parse("FROM a AS one\nCMD [\"x\"]\nFROM one\nUSER 5\n")).cmd->line, 2U);
}

TEST(StageFactsTest, KeepsHealthChecksAndCopies) {
  const StageFacts facts =
      evaluate(parse("FROM a AS build\nFROM b\nWORKDIR /app\nCOPY --from=build --chmod=0755 /x ./\nCOPY . .\n"
                     "ADD a.py b.py lib/\nHEALTHCHECK --interval=5s CMD [\"a\", \"b\"]\n"));
  EXPECT_EQ(facts.copies.at(0).from, "build");
  EXPECT_EQ(facts.copies.at(0).to, "/app/");
  EXPECT_EQ(facts.copies.at(0).mode, "0755");
  EXPECT_EQ(facts.copies.at(1).to, "/app/");
  EXPECT_EQ(facts.copies.at(2).to, "/app/lib/");
  EXPECT_THAT(facts.copies.at(2).sources, ElementsAre("a.py", "b.py"));
  EXPECT_THAT(facts.health->value.command.words, ElementsAre("a", "b"));
  EXPECT_EQ(facts.health->value.options.at("interval"), "5s");
}

TEST(StageFactsTest, KnowsThePythonOfItsImage) {
  const auto minor = [](const std::string& image) {
    const auto found = python_minor_of(parse("FROM " + image + "\n"));
    return found ? found->value : "";
  };
  EXPECT_EQ(minor("python:3.12"), "3.12");
  EXPECT_EQ(minor("python:3.12.4-slim-bookworm"), "3.12");
  EXPECT_EQ(minor("docker.io/library/python:3.9-alpine@sha256:00"), "3.9");
  EXPECT_EQ(minor("ghcr.io/astral-sh/uv:python3.13-trixie-slim"), "3.13");
  EXPECT_EQ(minor("ghcr.io/astral-sh/uv:0.9.2-python3.11-alpine"), "3.11");
  EXPECT_EQ(minor("mcr.microsoft.com/devcontainers/python:1-3.12"), "");
  EXPECT_EQ(minor("localhost:5000/python:3.10"), "3.10");
  EXPECT_EQ(minor("python:3"), "");
  EXPECT_EQ(minor("python:latest"), "");
  EXPECT_EQ(minor("postgres:3.12"), "");
  const auto chained = python_minor_of(parse("ARG V=3.11\nFROM python:${V} AS base\nFROM base AS build\nFROM base\n"));
  EXPECT_EQ(chained->value, "3.11");
  EXPECT_EQ(chained->line, 2U);
  EXPECT_FALSE(python_minor_of(parse("ARG V\nFROM python:${V}\n")));
  EXPECT_EQ(python_minor_of(parse("FROM python:3.13 AS a\nFROM python:3.12 AS b\n"), "a")->value, "3.13");
}

TEST(StageFactsTest, ListsWhatAptInstalls) {
  const Dockerfile file = parse(
      "FROM python:3.12 AS build\nRUN apt-get update && apt-get install -y gcc\nFROM python:3.12 AS base\n"
      "RUN apt-get update \\\n && apt-get install -y --no-install-recommends -o Dpkg::Use-Pty=0 libpq5 'ffmpeg' \\\n"
      "    libmagic1=1:5.44-3 $EXTRA \\\n && rm -rf /var/lib/apt/lists/*\n"
      "FROM base\nRUN [\"apt-get\", \"install\", \"tini\"]\nRUN sudo apt install -y libpq5 curl; echo apt-get install "
      "no\n"
      "RUN <<EOF\napt-get install -y gdal-bin\nEOF\n");
  EXPECT_THAT(with_lines(apt_packages_of(file)),
              ElementsAre("libpq5 4", "ffmpeg 4", "libmagic1 4", "tini 9", "curl 10", "gdal-bin 11"));
  EXPECT_THAT(with_lines(apt_packages_of(file, "build")), ElementsAre("gcc 2"));
}

std::vector<std::string> texts(const std::vector<Located<std::string>>& items) {
  std::vector<std::string> all;
  for (const auto& [value, line] : items) all.push_back(fmt::format("{}:{}", value, line));
  return all;
}

TEST(Installed, IsWhatTheLastSyncOfTheStagesNames) {
  const Dockerfile file = parse(R"(FROM python:3.12 AS made
RUN uv sync --locked --no-install-project --extra old
RUN --mount=type=cache,target=/root/.cache \
    cd /app && /bin/uv sync --locked --no-dev --extra=web --extra "big" --no-group dev --group prod \
    -p 3.12 --package api
RUN uv pip install -e '.[more,web]' && pip install .[$KIND]
FROM python:3.12 AS test
RUN uv sync --extra test --all-extras
FROM python:3.12
COPY --from=made /app /app
CMD ["uv", "run", "--extra", "server", "uvicorn", "--extra", "mine"]
)");
  const Installed last = installed_of(file);
  EXPECT_THAT(texts(last.extras), ElementsAre("web:3", "big:3", "more:6", "server:11"));
  EXPECT_THAT(texts(last.groups), ElementsAre("prod:3"));
  EXPECT_THAT(texts(last.members), ElementsAre("api:3"));
  EXPECT_THAT(texts(last.unread), ElementsAre("$KIND:6"));
  EXPECT_FALSE(last.all_extras);
  const Installed test = installed_of(file, "test");
  EXPECT_TRUE(test.all_extras);
  EXPECT_THAT(texts(test.extras), ElementsAre("test:8"));
  EXPECT_THAT(installed_of(parse("FROM python:3.12\nRUN echo uv sync --extra a; uv sync --extra b 'c\n")).extras,
              IsEmpty());
  EXPECT_THAT(installed_of(parse("FROM python:3.12\nRUN echo uv sync --extra a\n")).extras, IsEmpty());
  EXPECT_THAT(texts(installed_of(parse("FROM a\nARG K=x\nRUN uv sync --extra ${K}\n")).unread),
              ElementsAre("--extra ${K}:3"));
}

TEST(ShellReader, SeesCommandsAndWords) {
  const ShellScript script =
      read_shell("A=1 exec 'gunicorn' -b \"0.0.0.0:${PORT:-80}\" app:app 2>&1 && echo $(date) # no\nls\n");
  ASSERT_EQ(script.commands.size(), 3U);
  EXPECT_EQ(script.commands[0].assignments.at(0).text, "A=1");
  EXPECT_EQ(script.commands[0].words.at(1).text, "gunicorn");
  EXPECT_EQ(script.commands[0].words.at(3).text, "0.0.0.0:${PORT:-80}");
  EXPECT_FALSE(script.commands[0].words.at(3).is_plain);
  EXPECT_EQ(script.commands[0].words.size(), 5U);
  EXPECT_EQ(script.commands[0].end, "&&");
  EXPECT_TRUE(script.commands[0].has_redirection);
  EXPECT_FALSE(script.commands[1].words.at(1).is_plain);
  EXPECT_EQ(script.commands[2].words.at(0).line, 2U);
  EXPECT_TRUE(read_shell("if a; then b; fi").has_structure);
  EXPECT_THAT(read_shell("cat <<EOF\nnot a command\nEOF\n").commands.size(), 1U);
  EXPECT_THROW(read_shell("echo 'a"), Error);
  EXPECT_EQ(shell_line({"a", "b c", "d'e", ""}), "a 'b c' 'd'\\''e' ''");
}

}  // namespace
}  // namespace veneer::owners
