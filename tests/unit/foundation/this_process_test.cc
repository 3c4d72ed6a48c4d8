#include "foundation/this_process.hh"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "foundation/file.hh"
#include "foundation/process.hh"

namespace veneer {
namespace {

namespace fs = std::filesystem;

/// How a process ends that does `act`: its exit code, or 128 and the signal.
int ending_of(const std::function<int()>& act) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(act());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

TEST(ThisProcess, ASignalRemovesItsTemporaries) {
  std::string folder = (fs::temp_directory_path() / "signal-test-XXXXXX").native();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    EXPECT_EQ(ending_of([&] {
                begin_process();
                const TemporaryFolder work(folder, "work");
                AtomicFile file(folder + "/output");
                write_text_file(work.path() / "file", "x");
                ::kill(::getpid(), signal);
                for (;;) ::pause();
                return 0;
              }),
              128 + signal);
    EXPECT_TRUE(fs::is_empty(folder));
  }
  fs::remove_all(folder);
}

TEST(ThisProcess, ASignalThatIsIgnoredStaysSo) {
  EXPECT_EQ(ending_of([] {
              ::signal(SIGHUP, SIG_IGN);  // nohup
              begin_process();
              ::kill(::getpid(), SIGHUP);
              return run({.arguments = {"sh", "-c", "kill -HUP $$; exit 3"}}).exit_code;
            }),
            3);
}

TEST(ThisProcess, ClosedStandardDescriptorsAreOpened) {
  EXPECT_EQ(ending_of([] {
              for (const int standard : {0, 1, 2}) ::close(standard);
              begin_process();
              char byte = 0;
              if (::read(0, &byte, 1) != 0) return 1;
              if (::write(1, &byte, 1) != -1 || errno != EBADF) return 2;
              return ::open("/dev/null", O_RDONLY | O_CLOEXEC) > 2 ? 0 : 3;
            }),
            0);
}

TEST(ThisProcess, ExitCodesAreSeenWhereTheParentIgnoredSigchld) {
  EXPECT_EQ(ending_of([] {
              ::signal(SIGCHLD, SIG_IGN);
              begin_process();
              return run({.arguments = {"sh", "-c", "exit 3"}}).exit_code;
            }),
            3);
}

}  // namespace
}  // namespace veneer
