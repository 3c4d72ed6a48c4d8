#include "deliver/receiver/ssh/host_script.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/error.hh"
#include "foundation/process.hh"

namespace veneer::deliver {
namespace {

TEST(HostRequest, TextOfAnyKindTravels) {
  HostRequest request(HostTask::rollout, "deploy", "abc");
  request.add_text("before", "echo \"it's\" 50%\n$HOME");
  EXPECT_NE(request.text().find("\nbefore echo%040%042it%047s%042%04050%045%012%044HOME\n"), std::string::npos);
}

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

struct Read {
  std::vector<std::string> lines;
  bool begun = false;
  bool ended = false;
  std::string preamble;
};

Read read(std::string_view text, std::size_t piece = 1) {
  Read result;
  HostAnswer answer("n1", [&](const HostLine& line) { result.lines.push_back(line.key + "=" + line.value); });
  for (std::size_t at = 0; at < text.size(); at += piece) answer.write(as_bytes(text.substr(at, piece)));
  result.begun = answer.has_begun();
  result.ended = answer.has_ended();
  result.preamble = answer.preamble();
  return result;
}

TEST(HostAnswer, TakesWhatStandsBetweenItsMarkers) {
  for (const std::size_t piece : {1U, 7U, 1000U}) {
    const Read got = read("Welcome!\nveneer n0\n\nveneer n1\na 1 2\nb\nend n1\nBye\nc 3\n", piece);
    EXPECT_THAT(got.lines, ElementsAre("a=1 2", "b="));
    EXPECT_TRUE(got.ended);
    EXPECT_EQ(got.preamble, "Welcome!\\x0aveneer n0");
  }
}

TEST(HostAnswer, AnotherNonceIsNoise) { EXPECT_FALSE(read("veneer n2\na 1\nend n2\n").begun); }

TEST(HostAnswer, ACutIsSeen) {
  const Read got = read("veneer n1\na 1\nb");
  EXPECT_TRUE(got.begun);
  EXPECT_FALSE(got.ended);
  EXPECT_THAT(got.lines, ElementsAre("a=1"));
}

TEST(HostAnswer, IsBounded) {
  const std::string chunk(1 << 20, 'x');
  EXPECT_THROW(read(chunk + chunk, 1 << 16), Error);
  std::string lines;
  while (lines.size() < (17U << 20)) lines += "noise\n";
  EXPECT_THROW(read(lines, 1 << 16), Error);
}

TEST(HostAnswer, NoiseIsShownFiltered) { EXPECT_THAT(read("\033]0;x\007").preamble, Not(HasSubstr("\033"))); }

TEST(HostRequest, RefusesWhatAShellCouldTakeForMore) {
  HostRequest request(HostTask::ship, "put", "n1");
  request.add("unique", "registry.example:5000/a/b:1.0_x-y");
  EXPECT_THAT(request.text(), HasSubstr("\nunique registry.example:5000/a/b:1.0_x-y\n"));
  for (const std::string value : {"a;b", "$(x)", "`x`", "a\nb", "a'b", "a\"b", "a\\b", "a*b", "~x", "a>b", "a|b"}) {
    EXPECT_THROW(request.add("unique", value), Error) << value;
  }
}

TEST(HostScript, IsSentWithoutCommentsAndRunsFromAPipe) {
  EXPECT_THAT(host_script(HostTask::ship), Not(HasSubstr("\n#")));
  EXPECT_THAT(host_script(HostTask::ship), Not(HasSubstr("\n ")));
  const HostRequest request(HostTask::ship, "nothing", "n7");
  // What follows a question is read as a request, and not as a part of the script.
  const CommandResult result = run({.arguments = {"sh", "-c", host_command(HostTask::ship)},
                                    .input = host_script(HostTask::ship) + request.text() + "echo owned\n"});
  EXPECT_EQ(result.exit_code, 64);
  EXPECT_EQ(result.errors, "");
  EXPECT_THAT(result.output, testing::EndsWith("refused key echo\n"));
  EXPECT_THAT(result.output, HasSubstr("veneer n7\nproblem unknown verb nothing\nend n7\n"));
  EXPECT_THAT(result.output, Not(HasSubstr("owned")));
}

TEST(HostScript, RefusesValuesThatTheSenderWouldNotSend) {
  for (const std::string line : {"live $(touch /tmp/owned)", "live a;b", "group ../x y\"", "unknown x"}) {
    const CommandResult result = run({.arguments = {"sh", "-c", host_command(HostTask::ship)},
                                      .input = host_script(HostTask::ship) + "verb put\nnonce n\n" + line + "\n\n"});
    EXPECT_EQ(result.exit_code, 64) << line;
  }
}

}  // namespace
}  // namespace veneer::deliver
