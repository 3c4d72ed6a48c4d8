#include "foundation/process.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <stdexcept>

#include "foundation/error.hh"
#include "foundation/parallel.hh"

namespace veneer {
namespace {

using testing::HasSubstr;

TEST(Process, GivesOutputErrorsAndExitCode) {
  const CommandResult result = run({.arguments = {"sh", "-c", "cat; echo problem >&2; exit 3"}, .input = "hello"});
  EXPECT_EQ(result.output, "hello");
  EXPECT_EQ(result.errors, "problem\n");
  EXPECT_EQ(result.exit_code, 3);
}

TEST(Process, MovesMuchDataBothWaysAtOnce) {
  ::signal(SIGPIPE, SIG_IGN);
  const std::string input(5'000'000, 'x');
  EXPECT_EQ(run({.arguments = {"cat"}, .input = input}).output, input);
  EXPECT_EQ(run({.arguments = {"true"}, .input = input}).exit_code, 0);
}

TEST(Process, OutputIsBounded) {
  EXPECT_THROW(run({.arguments = {"sh", "-c", "while :; do echo yyyyyyyyyyyyyy; done"}, .output_limit = 100'000}),
               Error);
}

TEST(Process, ArgumentsAndEnvironmentArriveAsTheyAre) {
  const CommandResult result =
      run({.arguments = {"sh", "-c", "printf '%s|' \"$@\" \"$VARIABLE\" \"${HOME-none}\"", "sh", "a b", "$(x)", "'"},
           .environment = {{"VARIABLE", "v w"}},
           .unset = {"HOME"}});
  EXPECT_EQ(result.output, "a b|$(x)|'|v w|none|");
}

TEST(Process, AMissingProgramIsNotFound) {
  try {
    run({.arguments = {"veneer-no-such-program"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
    EXPECT_THAT(error.what(), HasSubstr("veneer-no-such-program"));
  }
}

TEST(Process, AFailureQuotesTheEndOfStandardError) {
  try {
    run_checked({.arguments = {"sh", "-c", "echo first >&2; printf 'second\\033[31m\\n' >&2; exit 9"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("exit code 9:\nfirst\nsecond\\x1b[31m"));
  }
}

TEST(ParallelFor, DoesEveryIndexOnce) {
  std::vector<std::atomic<int>> counts(1000);
  parallel_for(counts.size(), 8, [&](std::size_t i) { ++counts[i]; });
  for (const auto& count : counts) EXPECT_EQ(count, 1);
  parallel_for(0, 8, [](std::size_t) { FAIL(); });
}

TEST(ParallelFor, CarriesExceptionsWithTheirContext) {
  try {
    parallel_for(100, 4, [](std::size_t i) {
      in_context([&] { return "item " + std::to_string(i); },
                 [&] {
                   if (i >= 10) throw Error(ErrorKind::refused, "bad");
                 });
    });
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "item 10: bad");
    EXPECT_EQ(error.kind(), ErrorKind::refused);
  }
}

}  // namespace
}  // namespace veneer
