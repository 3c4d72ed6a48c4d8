#include "foundation/process.hh"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>

#include "foundation/child.hh"
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

class Blocks : public ByteSource {
 public:
  explicit Blocks(std::size_t count) : left_(count) {}
  std::size_t read(std::span<std::byte> into) override {
    if (left_ == 0) return 0;
    --left_;
    std::ranges::fill(into, std::byte{'z'});
    return into.size();
  }

 private:
  std::size_t left_;
};

TEST(Process, InputMayComeFromASource) {
  ::signal(SIGPIPE, SIG_IGN);
  Blocks blocks(50);
  EXPECT_EQ(run({.arguments = {"sh", "-c", "head -c 6; wc -c"}, .input = "first ", .more_input = &blocks})
                .output.substr(0, 6),
            "first ");
  Blocks all(50);
  EXPECT_EQ(std::stoul(run({.arguments = {"wc", "-c"}, .input = "123", .more_input = &all}).output), 3U + 50 * 65536);
  Blocks unread(1000);
  EXPECT_EQ(run({.arguments = {"true"}, .more_input = &unread}).exit_code, 0);
}

TEST(Dialogue, WhatItGetsNextMayDependOnWhatItSaid) {
  ::signal(SIGPIPE, SIG_IGN);
  Dialogue dialogue({.arguments = {"sh", "-c", "while read -r line; do echo \"$line!\"; done; echo end >&2; exit 3"}});
  std::string said;
  BoundedText output(said, 1 << 20, "");
  dialogue.give("one\n");
  EXPECT_FALSE(dialogue.hear(output, [&] { return said == "one!\n"; }, {}));
  EXPECT_FALSE(dialogue.has_ended());
  dialogue.give(said.substr(0, 3) + " and two\nthr");
  EXPECT_FALSE(dialogue.hear(output, [&] { return said.ends_with("two!\n"); }, {}));
  Blocks blocks(1);
  const CommandResult result = dialogue.end(&blocks, output, {});
  EXPECT_EQ(said, "one!\none and two!\n");
  EXPECT_EQ(result.errors, "end\n");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_TRUE(dialogue.has_ended());
}

TEST(Dialogue, MoreThanAPipeHoldsIsGivenWhileItIsHeard) {
  ::signal(SIGPIPE, SIG_IGN);
  const std::string much(1'000'000, 'x');
  Dialogue dialogue({.arguments = {"cat"}});
  dialogue.give(much);
  dialogue.give(much);
  std::string said;
  BoundedText output(said, 1 << 24, "");
  EXPECT_FALSE(dialogue.hear(output, [&] { return said.size() == 2 * much.size(); }, {}));
  EXPECT_EQ(dialogue.end(nullptr, output, {}).exit_code, 0);
}

TEST(Dialogue, OneThatEndsOrDoesNotAnswerIsSaid) {
  ::signal(SIGPIPE, SIG_IGN);
  std::string said;
  BoundedText output(said, 1 << 20, "");
  Dialogue ends({.arguments = {"sh", "-c", "exit 4"}});
  ends.give("one\n");
  const auto result = ends.hear(output, [] { return false; }, {});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->exit_code, 4);
  Dialogue silent({.arguments = {"sleep", "100"}});
  const auto other = silent.hear(output, [] { return false; }, {.time = std::chrono::seconds(1), .progress = {}});
  ASSERT_TRUE(other);
  EXPECT_EQ(other->ending, Ending::out_of_patience);
}

TEST(Process, PatienceEndsWhatDoesNotMove) {
  ::signal(SIGPIPE, SIG_IGN);
  const std::chrono::seconds patience{1};
  EXPECT_EQ(run({.arguments = {"sleep", "100"}, .patience = patience}).ending, Ending::out_of_patience);
  Blocks blocks(1000);
  EXPECT_EQ(
      run({.arguments = {"sh", "-c", "while echo x; do sleep 0.2; done"}, .more_input = &blocks, .patience = patience})
          .ending,
      Ending::out_of_patience)
      << "output does not make up for input that nobody takes";
  Blocks more_blocks(1000);
  std::uint64_t calls = 0;
  EXPECT_EQ(run({.arguments = {"sleep", "3"},
                 .more_input = &more_blocks,
                 .patience = patience,
                 .progress = [&] { return ++calls; }})
                .ending,
            Ending::exited)
      << "but what the other end says that it has does";
  EXPECT_EQ(run({.arguments = {"sh", "-c", "for i in 1 2 3 4; do echo; sleep 0.5; done"}, .patience = patience}).ending,
            Ending::exited);
}

TEST(Process, PatienceIsKeptWithWhatClosedItsOutput) {
  EXPECT_EQ(
      run({.arguments = {"sh", "-c", "exec >&- 2>&-; exec sleep 100"}, .patience = std::chrono::seconds{1}}).ending,
      Ending::out_of_patience);
  const std::string input(5'000'000, 'x');
  EXPECT_EQ(run({.arguments = {"sh", "-c", "exec >&- 2>&-; test $(wc -c) = 5000000"}, .input = input}).exit_code, 0)
      << "it still gets its input";
}

/// What `act` returns in a process of its own.
int in_child(const std::function<int()>& act) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(act());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(Process, WorksWithClosedStandardDescriptors) {
  for (const std::vector<int>& closed :
       std::vector<std::vector<int>>{{0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}, {0, 1, 2}}) {
    EXPECT_EQ(
        in_child([&] {
          for (const int standard : closed) ::close(standard);
          const CommandResult result = run({.arguments = {"sh", "-c", "cat; echo no >&2; exit 3"}, .input = "yes"});
          return result.output == "yes" && result.errors == "no\n" && result.exit_code == 3 ? 0 : 1;
        }),
        0)
        << testing::PrintToString(closed);
    EXPECT_EQ(in_child([&] {
                for (const int standard : closed) ::close(standard);
                Companion companion({.arguments = {"sh", "-c", "cat; echo no >&2; exit 3"}});
                while (companion.is_running()) ::usleep(1000);
                return companion.errors() == "no\n" && companion.end() == 3 ? 0 : 1;
              }),
              0)
        << testing::PrintToString(closed);
  }
}

TEST(Process, ChildrenGetNoneOfOurFiles) {
  const Command list{.arguments = {"sh", "-c", "echo /proc/self/fd/*"}};
  const std::string before = run(list).output;
  const TemporaryFolder folder(std::filesystem::temp_directory_path(), "test");
  AtomicFile written(folder.path() / "written");
  write_text_file(folder.path() / "file", "");
  const File read(folder.path() / "file");
  const FileLock lock(folder.path() / "lock", FileLock::Kind::shared);
  const Pipe pipe = make_pipe();
  const Companion companion({.arguments = {"sleep", "100"}});
  EXPECT_EQ(run(list).output, before);
}

TEST(Companion, LivesOnWhenItsThreadEnds) {
  std::unique_ptr<Companion> companion;
  std::thread([&] { companion = std::make_unique<Companion>(Command{.arguments = {"sleep", "100"}}); }).join();
  ::usleep(50'000);
  EXPECT_TRUE(companion->is_running());
  EXPECT_EQ(companion->end(), 128 + SIGTERM);
}

TEST(Companion, EndsWithItsProcess) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path(), "test");
  const std::string fifo = (folder.path() / "fifo").native();
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    std::unique_ptr<Companion> companion;
    std::thread([&] {
      companion = std::make_unique<Companion>(Command{.arguments = {"sh", "-c", "exec sleep 1000 >" + fifo}});
    }).join();
    ::pause();
  }
  const FileDescriptor held(::open(fifo.c_str(), O_RDONLY | O_CLOEXEC));  // the companion runs
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  char none = 0;
  EXPECT_EQ(::read(held.get(), &none, 1), 0) << "it has ended";
}

TEST(Companion, RunsBesideAndEndsWithItsObject) {
  {
    Companion companion({.arguments = {"sh", "-c", "echo here >&2; exec sleep 100"}});
    while (companion.errors().empty()) ::usleep(1000);
    EXPECT_TRUE(companion.is_running());
    EXPECT_EQ(companion.errors(), "here\n");
    EXPECT_EQ(companion.end(), 128 + SIGTERM);
    EXPECT_FALSE(companion.is_running());
  }
  Companion stubborn({.arguments = {"sh", "-c", "trap '' TERM; echo >&2; while :; do sleep 0.1; done"}});
  while (stubborn.errors().empty()) ::usleep(1000);
  EXPECT_EQ(stubborn.end(), 128 + SIGKILL);
  EXPECT_THROW(Companion({.arguments = {"/no/such/program"}}), Error);
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
