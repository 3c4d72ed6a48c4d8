#include "foundation/child.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>

#include "foundation/error.hh"
#include "foundation/process.hh"

extern char** environ;  // NOLINT(readability-redundant-declaration): not every libc declares it

namespace veneer {

namespace {

std::vector<std::string> child_environment(const Command& command) {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = text.substr(0, equals);
    if (!command.inherits || command.inherits(name)) variables[std::string(name)] = text.substr(equals + 1);
  }
  for (const std::string& name : command.unset) variables.erase(name);
  for (const auto& [name, value] : command.environment) variables[name] = value;
  std::vector<std::string> list;
  for (const auto& [name, value] : variables) list.push_back(name + "=" + value);
  return list;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// The one thread that forks. A child's "death of the parent" (PR_SET_PDEATHSIG) is the death of the thread that made
/// it; this one lives as long as the process.
class ForkingThread {
 public:
  static ForkingThread& instance() {
    static std::mutex mutex;
    static ForkingThread* current = nullptr;  // never destroyed: the thread may be waiting in it when the process ends
    const std::lock_guard lock(mutex);
    // A process that was forked without exec() has no such thread.
    if (current == nullptr || current->process_ != ::getpid()) current = new ForkingThread;
    return *current;
  }

  /// fork(); `child` runs in the new process and must not return.
  pid_t fork(const std::function<void()>& child) {
    const std::lock_guard one_at_a_time(callers_);
    std::unique_lock lock(mutex_);
    child_ = &child;
    changed_.notify_all();
    changed_.wait(lock, [&] { return child_ == nullptr; });
    errno = error_;
    return made_;
  }

 private:
  ForkingThread() {
    std::thread([this] { serve(); }).detach();
  }

  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return child_ != nullptr; });
      made_ = ::fork();
      if (made_ == 0) (*child_)();
      error_ = errno;
      child_ = nullptr;
      changed_.notify_all();
    }
  }

  const pid_t process_ = ::getpid();
  std::mutex callers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void()>* child_ = nullptr;  // what is to be forked
  pid_t made_ = -1;
  int error_ = 0;
};

}  // namespace

FileDescriptor above_standard(FileDescriptor file) {
  if (!file.is_open() || file.get() > 2) return file;
  FileDescriptor other(::fcntl(file.get(), F_DUPFD_CLOEXEC, 3));
  if (!other.is_open()) throw Error(ErrorKind::failed, "cannot open another file");
  return other;
}

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Error(ErrorKind::failed, "cannot make a pipe");
  FileDescriptor read_end(ends[0]);
  FileDescriptor write_end(ends[1]);
  return {above_standard(std::move(read_end)), above_standard(std::move(write_end))};
}

pid_t start_child(const Command& command, const FileDescriptor& in, const FileDescriptor& out,
                  const FileDescriptor& err) {
  std::vector<std::string> argument_strings = command.arguments;
  std::vector<std::string> environment_strings = child_environment(command);
  std::vector<char*> arguments = pointers(argument_strings);
  std::vector<char*> environment = pointers(environment_strings);
  Pipe report = make_pipe();
  const pid_t parent = ::getpid();
  const pid_t child = ForkingThread::instance().fork([&] {
    // Only async-signal-safe calls between fork and exec.
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(127);  // it ended before
    ::dup2(in.get(), 0);
    ::dup2(out.get(), 1);
    ::dup2(err.get(), 2);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    if (!command.folder || ::chdir(command.folder->c_str()) == 0) {
      ::execvpe(arguments[0], arguments.data(), environment.data());
    }
    const int error = errno;
    [[maybe_unused]] const ssize_t ignored = ::write(report.write_end.get(), &error, sizeof error);
    ::_exit(127);
  });
  if (child < 0) {
    throw Error(ErrorKind::failed,
                fmt::format("cannot start another process: {}", std::generic_category().message(errno)));
  }
  report.write_end = FileDescriptor();
  int error = 0;
  ssize_t count = 0;
  while ((count = ::read(report.read_end.get(), &error, sizeof error)) < 0 && errno == EINTR) {
  }
  if (count != sizeof error) return child;
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  throw Error(
      error == ENOENT ? ErrorKind::not_found : ErrorKind::failed,
      fmt::format("cannot run {}: {}", printable(command.arguments[0]), std::generic_category().message(error)));
}

}  // namespace veneer
