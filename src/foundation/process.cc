#include "foundation/process.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/text.hh"
#include "foundation/user_info.hh"

extern char** environ;  // NOLINT(readability-redundant-declaration): not every libc declares it

namespace veneer {

namespace {

constexpr std::size_t kept_error_output = 64 * 1024;

struct Pipe {
  FileDescriptor read_end;
  FileDescriptor write_end;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Error(ErrorKind::failed, "cannot make a pipe");
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

std::vector<std::string> child_environment(const Command& command) {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) variables[std::string(text.substr(0, equals))] = text.substr(equals + 1);
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

// Whether the new program ends with this process even when that is killed.
enum class Fate { own, shared };

[[noreturn]] void become(const Command& command, std::vector<char*>& arguments, std::vector<char*>& environment,
                         const Pipe& in, const Pipe& out, const Pipe& err, const Pipe& report, Fate fate = Fate::own) {
  if (fate == Fate::shared) ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  // Only async-signal-safe calls between fork and exec.
  ::dup2(in.read_end.get(), 0);
  ::dup2(out.write_end.get(), 1);
  ::dup2(err.write_end.get(), 2);
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
}

// The program's standard input, written as it is taken.
class Input {
 public:
  Input(FileDescriptor to, const Command& command)
      : to_(std::move(to)), rest_(command.input), more_(command.more_input) {
    ::fcntl(to_.get(), F_SETFL, O_NONBLOCK);
    if (more_ != nullptr) buffer_.resize(64 * 1024);
    refill();
  }
  const FileDescriptor& file() const { return to_; }

  void write_some() {
    const ssize_t count = ::write(to_.get(), rest_.data(), rest_.size());
    if (count > 0) rest_.remove_prefix(static_cast<std::size_t>(count));
    if (count < 0 && errno != EAGAIN && errno != EINTR) {  // the program does not want its input
      rest_ = {};
      more_ = nullptr;
    }
    refill();
  }

 private:
  void refill() {
    if (rest_.empty() && more_ != nullptr) {
      const std::size_t count = more_->read(std::as_writable_bytes(std::span(buffer_)));
      rest_ = std::string_view(buffer_.data(), count);
      if (count == 0) more_ = nullptr;
    }
    if (rest_.empty()) to_ = FileDescriptor();
  }

  FileDescriptor to_;
  std::string_view rest_;
  ByteSource* more_;
  std::string buffer_;
};

int exit_code_of(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

void keep_the_end(std::string& text) {
  if (text.size() > kept_error_output) text.erase(0, text.size() - kept_error_output);
}

// What exec() reported through `report`, as an Error; the child has been waited for.
void refuse_failed_start(const Command& command, const FileDescriptor& report, pid_t child) {
  int exec_error = 0;
  if (::read(report.get(), &exec_error, sizeof exec_error) != sizeof exec_error) return;
  wait_for(child);
  const auto kind = exec_error == ENOENT ? ErrorKind::not_found : ErrorKind::failed;
  throw Error(kind, fmt::format("cannot run {}: {}", printable(command.arguments[0]),
                                std::generic_category().message(exec_error)));
}

}  // namespace

CommandResult run_into(const Command& command, ByteSink& output,
                       const std::function<void(std::string_view)>& on_error_output) {
  std::vector<std::string> argument_strings = command.arguments;
  std::vector<std::string> environment_strings = child_environment(command);
  std::vector<char*> arguments = pointers(argument_strings);
  std::vector<char*> environment = pointers(environment_strings);
  Pipe in = make_pipe();
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  Pipe report = make_pipe();

  const pid_t child = ::fork();
  if (child < 0) throw Error(ErrorKind::failed, "cannot start another process");
  if (child == 0) become(command, arguments, environment, in, out, err, report);

  in.read_end = FileDescriptor();
  out.write_end = FileDescriptor();
  err.write_end = FileDescriptor();
  report.write_end = FileDescriptor();

  refuse_failed_start(command, report.read_end, child);
  // The child must not outlive an exception thrown below (a full disk, say).
  struct Reaper {
    pid_t child;
    bool reaped = false;
    int wait() {
      reaped = true;
      return wait_for(child);
    }
    ~Reaper() {
      if (!reaped) {
        ::kill(child, SIGKILL);
        wait_for(child);
      }
    }
  } reaper{child};

  Input input(std::move(in.write_end), command);
  CommandResult result;
  const auto buffer = std::make_unique<std::array<char, 64 * 1024>>();
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_moved = Clock::now();
  while (out.read_end.is_open() || err.read_end.is_open()) {
    std::array<pollfd, 3> waits{
        {{out.read_end.get(), POLLIN, 0}, {err.read_end.get(), POLLIN, 0}, {input.file().get(), POLLOUT, 0}}};
    const int ready = ::poll(waits.data(), waits.size(), command.patience.count() > 0 ? 1000 : -1);
    if (ready < 0) {
      if (errno == EINTR) continue;
      throw Error(ErrorKind::failed, "cannot wait for another process");
    }
    if (waits[2].revents != 0 || (ready > 0 && !input.file().is_open())) last_moved = Clock::now();
    if (command.patience.count() > 0 && Clock::now() - last_moved > command.patience) {
      result.ending = Ending::out_of_patience;
      ::kill(child, SIGKILL);
      break;
    }
    if (waits[2].revents != 0 && input.file().is_open()) input.write_some();
    for (std::size_t which = 0; which < 2; ++which) {
      FileDescriptor& from = which == 0 ? out.read_end : err.read_end;
      if (waits.at(which).revents == 0 || !from.is_open()) continue;
      const ssize_t count = ::read(from.get(), buffer->data(), buffer->size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) {
        from = FileDescriptor();
        continue;
      }
      const std::string_view piece(buffer->data(), static_cast<std::size_t>(count));
      if (which == 0) {
        output.write(as_bytes(piece));
      } else {
        result.errors += piece;
        keep_the_end(result.errors);
        if (on_error_output) on_error_output(piece);
      }
    }
  }
  result.exit_code = exit_code_of(reaper.wait());
  return result;
}

Companion::Companion(const Command& command) {
  std::vector<std::string> argument_strings = command.arguments;
  std::vector<std::string> environment_strings = child_environment(command);
  std::vector<char*> arguments = pointers(argument_strings);
  std::vector<char*> environment = pointers(environment_strings);
  const Pipe in = make_pipe();
  const Pipe out{FileDescriptor(), FileDescriptor(::open("/dev/null", O_WRONLY | O_CLOEXEC))};
  Pipe err = make_pipe();
  Pipe report = make_pipe();
  child_ = ::fork();
  if (child_ < 0) throw Error(ErrorKind::failed, "cannot start another process");
  if (child_ == 0) become(command, arguments, environment, in, out, err, report, Fate::shared);
  report.write_end = FileDescriptor();
  refuse_failed_start(command, report.read_end, child_);
  ::fcntl(err.read_end.get(), F_SETFL, O_NONBLOCK);
  errors_from_ = std::move(err.read_end);
}

Companion::~Companion() { end(); }

bool Companion::is_running() {
  take_errors();
  if (child_ <= 0) return false;
  int status = 0;
  if (::waitpid(child_, &status, WNOHANG) != child_) return true;
  take_errors();
  exit_code_ = exit_code_of(status);
  child_ = -1;
  return false;
}

const std::string& Companion::errors() {
  take_errors();
  return errors_;
}

int Companion::end() {
  if (is_running()) ::kill(child_, SIGTERM);
  for (int tries = 0; tries < 100 && is_running(); ++tries) ::usleep(10'000);
  if (is_running()) {
    ::kill(child_, SIGKILL);
    exit_code_ = exit_code_of(wait_for(child_));
    child_ = -1;
  }
  return exit_code_;
}

void Companion::take_errors() {
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t count = ::read(errors_from_.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    errors_.append(buffer.data(), static_cast<std::size_t>(count));
    keep_the_end(errors_);
  }
}

CommandResult run(const Command& command, const std::function<void(std::string_view)>& on_error_output) {
  std::string text;
  BoundedText sink(text, command.output_limit, "a program printed");
  CommandResult result = run_into(command, sink, on_error_output);
  result.output = std::move(text);
  return result;
}

std::string last_lines(std::string_view said) {
  constexpr std::size_t most = 2000;
  const std::string cleaned = without_user_info(said);
  std::string_view errors = trimmed(cleaned);
  errors.remove_prefix(errors.size() - std::min(errors.size(), most));
  std::string shown;
  for (const std::string& line : split_fields(errors, '\n')) shown += (shown.empty() ? "" : "\n") + printable(line);
  return shown;
}

std::string run_checked(const Command& command) {
  CommandResult result = run(command);
  if (result.exit_code == 0) return std::move(result.output);
  throw Error(ErrorKind::failed, fmt::format("{} failed with exit code {}:\n{}", printable(command.arguments[0]),
                                             result.exit_code, last_lines(result.errors)));
}

std::optional<std::filesystem::path> find_program(const std::string& name, const std::string& search_path) {
  std::size_t start = 0;
  while (start <= search_path.size()) {
    const std::size_t end = std::min(search_path.find(':', start), search_path.size());
    if (end > start) {
      const std::filesystem::path candidate = std::filesystem::path(search_path.substr(start, end - start)) / name;
      if (::access(candidate.c_str(), X_OK) == 0 && std::filesystem::is_regular_file(candidate)) return candidate;
    }
    start = end + 1;
  }
  return std::nullopt;
}

}  // namespace veneer
