#include "foundation/process.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "foundation/error.hh"
#include "foundation/file.hh"

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

[[noreturn]] void become(const Command& command, std::vector<char*>& arguments, std::vector<char*>& environment,
                         const Pipe& in, const Pipe& out, const Pipe& err, const Pipe& report) {
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

void write_some(FileDescriptor& to, std::string_view& rest) {
  const ssize_t count = ::write(to.get(), rest.data(), rest.size());
  if (count > 0) rest.remove_prefix(static_cast<std::size_t>(count));
  if (count < 0 && errno != EAGAIN && errno != EINTR) rest = {};  // the program does not want its input
  if (rest.empty()) to = FileDescriptor();
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

  // The child must not outlive an exception thrown below (a full disk, say).
  struct Reaper {
    pid_t child;
    bool reaped = false;
    int wait() {
      int status = 0;
      while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
      }
      reaped = true;
      return status;
    }
    ~Reaper() {
      if (!reaped) {
        ::kill(child, SIGKILL);
        wait();
      }
    }
  } reaper{child};

  int exec_error = 0;
  if (::read(report.read_end.get(), &exec_error, sizeof exec_error) == sizeof exec_error) {
    reaper.wait();
    const auto kind = exec_error == ENOENT ? ErrorKind::not_found : ErrorKind::failed;
    throw Error(kind, fmt::format("cannot run {}: {}", printable(command.arguments[0]),
                                  std::generic_category().message(exec_error)));
  }

  ::fcntl(in.write_end.get(), F_SETFL, O_NONBLOCK);
  std::string_view input = command.input;
  if (input.empty()) in.write_end = FileDescriptor();
  CommandResult result;
  const auto buffer = std::make_unique<std::array<char, 64 * 1024>>();
  while (out.read_end.is_open() || err.read_end.is_open()) {
    std::array<pollfd, 3> waits{
        {{out.read_end.get(), POLLIN, 0}, {err.read_end.get(), POLLIN, 0}, {in.write_end.get(), POLLOUT, 0}}};
    if (::poll(waits.data(), waits.size(), -1) < 0) {
      if (errno == EINTR) continue;
      throw Error(ErrorKind::failed, "cannot wait for another process");
    }
    if (waits[2].revents != 0 && in.write_end.is_open()) write_some(in.write_end, input);
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
        if (result.errors.size() > kept_error_output) {
          result.errors.erase(0, result.errors.size() - kept_error_output);
        }
        if (on_error_output) on_error_output(piece);
      }
    }
  }
  const int status = reaper.wait();
  result.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return result;
}

namespace {
class LimitedText : public ByteSink {
 public:
  LimitedText(std::string& text, std::uint64_t limit) : text_(text), limit_(limit) {}
  void write(ByteView bytes) override {
    if (bytes.size() > limit_ - text_.size()) {
      throw Error(ErrorKind::refused, fmt::format("a program printed more than {} bytes", limit_));
    }
    text_ += as_text(bytes);
  }
  void commit() override {}

 private:
  std::string& text_;
  std::uint64_t limit_;
};
}  // namespace

CommandResult run(const Command& command, const std::function<void(std::string_view)>& on_error_output) {
  std::string text;
  LimitedText sink(text, command.output_limit);
  CommandResult result = run_into(command, sink, on_error_output);
  result.output = std::move(text);
  return result;
}

std::string run_checked(const Command& command) {
  CommandResult result = run(command);
  if (result.exit_code == 0) return std::move(result.output);
  std::string tail = result.errors.substr(result.errors.size() - std::min<std::size_t>(result.errors.size(), 2000));
  while (!tail.empty() && tail.back() == '\n') tail.pop_back();
  std::string shown;
  for (std::size_t start = 0; start <= tail.size();) {
    const std::size_t end = std::min(tail.find('\n', start), tail.size());
    shown += (shown.empty() ? "" : "\n") + printable(tail.substr(start, end - start));
    start = end + 1;
  }
  throw Error(ErrorKind::failed, fmt::format("{} failed with exit code {}:\n{}", printable(command.arguments[0]),
                                             result.exit_code, shown));
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
