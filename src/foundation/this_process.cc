#include "foundation/this_process.hh"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <thread>

#include "foundation/temporary.hh"

namespace veneer {

namespace {

void open_standard_descriptors() {
  for (const int standard : {0, 1, 2}) {
    if (::fcntl(standard, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number is this one. Nothing can be written: output that is lost is to be an error.
    if (::open("/dev/null", O_RDONLY) != standard) ::open("/", O_RDONLY);  // NOLINT: they stay open
  }
}

/// Those that end this process and that nobody ignores, as nohup does.
sigset_t ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) sigaddset(&signals, signal);
  }
  return signals;
}

}  // namespace

void begin_process() {
  open_standard_descriptors();
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);
  // Blocked in all threads, taken by one that may do more than a signal handler.
  const sigset_t signals = ending_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([signals] {
    int signal = 0;
    while (::sigwait(&signals, &signal) != 0) {
    }
    end_by_signal(signal);
  }).detach();
}

void end_by_signal(int signal) {
  ::signal(signal, SIG_DFL);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &one, nullptr);  // the next one waits for nothing
  // The other threads, whose files and children go away, have nothing to say about that; one that is saying something
  // to a reader that does not read is not waited for.
  static_cast<void>(::ftrylockfile(stderr));
  remove_temporaries();
  ::raise(signal);
  ::_exit(128 + signal);
}

}  // namespace veneer
