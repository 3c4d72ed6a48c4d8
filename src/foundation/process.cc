#include "foundation/process.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "foundation/child.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/text.hh"
#include "foundation/user_info.hh"

namespace veneer {

namespace {

constexpr std::size_t kept_error_output = 64 * 1024;

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

bool has_ended(pid_t child) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == child;
}

/// A descriptor that poll() reports once the child has ended; not open where the kernel has none (before Linux 5.3).
FileDescriptor end_of(pid_t child) { return FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, child, 0))); }

}  // namespace

// A program's standard input, written as it is taken; and what it says.
struct Dialogue::Talk {
  FileDescriptor to;
  std::string text;  // of the input, what comes next
  std::size_t taken = 0;
  ByteSource* more = nullptr;  // what comes then
  bool ends = false;           // with that
  FileDescriptor out;
  FileDescriptor err;
  pid_t child = -1;
  FileDescriptor end;
  CommandResult result;

  bool has_some() const { return to.is_open() && taken < text.size(); }

  void write_some() {
    const ssize_t count = ::write(to.get(), text.data() + taken, text.size() - taken);
    if (count > 0) taken += static_cast<std::size_t>(count);
    if (count < 0 && errno != EAGAIN && errno != EINTR) {  // the program does not want its input
      taken = text.size();
      more = nullptr;
      ends = true;
    }
    refill();
  }

  void refill() {
    if (taken < text.size()) return;
    text.clear();
    taken = 0;
    if (more != nullptr) {
      text.resize(64 * 1024);
      text.resize(more->read(std::as_writable_bytes(std::span(text))));
      if (text.empty()) more = nullptr;
    }
    if (text.empty() && ends) to = FileDescriptor();
  }

  bool has_output() const { return out.is_open() || err.is_open(); }
};

Dialogue::Dialogue(const Command& command) : talk_(std::make_unique<Talk>()) {
  Pipe in = make_pipe();
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  talk_->child = start_child(command, in.read_end, out.write_end, err.write_end);
  talk_->end = end_of(talk_->child);
  talk_->to = std::move(in.write_end);
  talk_->out = std::move(out.read_end);
  talk_->err = std::move(err.read_end);
  ::fcntl(talk_->to.get(), F_SETFL, O_NONBLOCK);
}

Dialogue::~Dialogue() {
  if (talk_->child < 0) return;
  ::kill(talk_->child, SIGKILL);
  wait_for(talk_->child);
}

bool Dialogue::has_ended() const { return talk_->child < 0 || veneer::has_ended(talk_->child); }

void Dialogue::give(std::string_view input) {
  talk_->text.erase(0, talk_->taken);
  talk_->taken = 0;
  talk_->text += input;
  if (talk_->has_some()) talk_->write_some();
}

std::optional<CommandResult> Dialogue::hear(ByteSink& output, const std::function<bool()>& is_answered,
                                            const DialoguePatience& patience,
                                            const std::function<void(std::string_view)>& on_error_output) {
  Talk& talk = *talk_;
  const auto buffer = std::make_unique<std::array<char, 64 * 1024>>();
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_moved = Clock::now();
  std::uint64_t last_progress = 0;
  const auto is_enough = [&] { return is_answered && is_answered(); };
  while (!is_enough() && (talk.has_output() || !veneer::has_ended(talk.child))) {
    std::array<pollfd, 4> waits{{{talk.out.get(), POLLIN, 0},
                                 {talk.err.get(), POLLIN, 0},
                                 {talk.has_some() ? talk.to.get() : -1, POLLOUT, 0},
                                 {talk.has_output() ? -1 : talk.end.get(), POLLIN, 0}}};
    const bool looks_for_end = !talk.has_output() && !talk.end.is_open();
    const int ready = ::poll(waits.data(), waits.size(), looks_for_end ? 10 : patience.time.count() > 0 ? 1000 : -1);
    if (ready < 0) {
      if (errno == EINTR) continue;
      throw Error(ErrorKind::failed, "cannot wait for another process");
    }
    const std::uint64_t progress = patience.progress ? patience.progress() : 0;
    if (waits[2].revents != 0 || (ready > 0 && !talk.has_some()) || progress != last_progress) {
      last_moved = Clock::now();
      last_progress = progress;
    }
    if (patience.time.count() > 0 && Clock::now() - last_moved > patience.time) {
      talk.result.ending = Ending::out_of_patience;
      ::kill(talk.child, SIGKILL);
      break;
    }
    if (waits[2].revents != 0) talk.write_some();
    for (std::size_t which = 0; which < 2; ++which) {
      FileDescriptor& from = which == 0 ? talk.out : talk.err;
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
        talk.result.errors += piece;
        keep_the_end(talk.result.errors);
        if (on_error_output) on_error_output(piece);
      }
    }
  }
  if (is_enough()) return std::nullopt;
  talk.result.exit_code = exit_code_of(wait_for(talk.child));
  talk.child = -1;
  return std::move(talk.result);
}

CommandResult Dialogue::end(ByteSource* more, ByteSink& output, const DialoguePatience& patience,
                            const std::function<void(std::string_view)>& on_error_output) {
  talk_->more = more;
  talk_->ends = true;
  talk_->refill();
  return *hear(output, {}, patience, on_error_output);
}

CommandResult run_into(const Command& command, ByteSink& output,
                       const std::function<void(std::string_view)>& on_error_output) {
  Dialogue dialogue(command);
  dialogue.give(command.input);
  return dialogue.end(command.more_input, output, {command.patience, command.progress}, on_error_output);
}

Companion::Companion(const Command& command) {
  const Pipe in = make_pipe();
  const FileDescriptor out = above_standard(FileDescriptor(::open("/dev/null", O_WRONLY | O_CLOEXEC)));
  Pipe err = make_pipe();
  child_ = start_child(command, in.read_end, out, err.write_end);
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
