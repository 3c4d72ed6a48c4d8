#include "cli/context.hh"

#include <fmt/format.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/this_process.hh"

namespace veneer::cli {

namespace {
constexpr auto redraw_interval = std::chrono::milliseconds(100);
constexpr std::string_view bold_red = "1;31";
constexpr std::string_view bold_yellow = "1;33";
constexpr std::string_view cyan = "36";
}  // namespace

Terminal::Terminal(Verbosity verbosity, Color color)
    : verbosity_(verbosity), terminal_(::isatty(2) == 1), color_(terminal_ && color == Color::terminal) {}

Terminal::~Terminal() { Terminal::clear_progress(); }

std::string Terminal::styled(std::string_view style, std::string_view text) const {
  return color_ ? fmt::format("\x1b[{}m{}\x1b[0m", style, text) : std::string(text);
}

void Terminal::erase() {
  if (drawn_) std::fputs("\r\x1b[K", stderr);
  drawn_ = false;
}

void Terminal::line(const std::string& text) {
  const std::lock_guard lock(mutex_);
  erase();
  std::fprintf(stderr, "%s\n", text.c_str());
}

void Terminal::progress(const std::string& text) {
  if (!terminal_ || verbosity_ == Verbosity::quiet) return;
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (drawn_ && now - last_drawn_ < redraw_interval) return;
  last_drawn_ = now;
  std::fprintf(stderr, "\r\x1b[K%s", printable(text, 78).c_str());
  std::fflush(stderr);
  drawn_ = true;
}

void Terminal::clear_progress() {
  const std::lock_guard lock(mutex_);
  erase();
  std::fflush(stderr);
}

void Terminal::note(const std::string& text) {
  if (verbosity_ == Verbosity::normal) line(text);
}

void Terminal::warning(const std::string& text) { line(styled(bold_yellow, "warning:") + " " + text); }

void Terminal::error(const std::string& text, const std::string& hint) {
  line(styled(bold_red, "error:") + " " + text);
  if (!hint.empty()) line(styled(cyan, "hint:") + " " + hint);
}

namespace {
Color wanted_color() {
  const char* no_color = std::getenv("NO_COLOR");
  return no_color != nullptr && *no_color != '\0' ? Color::never : Color::terminal;
}
}  // namespace

Context::Context(Verbosity verbosity, std::optional<std::string> cache_option,
                 std::optional<std::string> project_option, std::vector<std::string> insecure_options,
                 std::optional<std::string> authority_option)
    : terminal_(verbosity, wanted_color()),
      cache_option_(std::move(cache_option)),
      project_option_(std::move(project_option)),
      insecure_options_(std::move(insecure_options)),
      authority_option_(std::move(authority_option)) {}

std::optional<std::string> Context::environment(const std::string& name) const {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

std::filesystem::path Context::cache_folder() const {
  if (cache_option_) return std::filesystem::absolute(*cache_option_);
  // The XDG base directory specification: a relative path is to be ignored.
  if (const auto xdg = environment("XDG_CACHE_HOME"); xdg && xdg->starts_with('/')) {
    return std::filesystem::path(*xdg) / "veneer";
  }
  if (const auto home = environment("HOME")) return std::filesystem::path(*home) / ".cache" / "veneer";
  throw Error(ErrorKind::usage, "neither XDG_CACHE_HOME nor HOME is set", "name a cache folder with --cache");
}

std::filesystem::path Context::current_folder() const {
  if (!project_option_) return std::filesystem::current_path();
  if (!std::filesystem::is_directory(*project_option_)) {
    throw Error(ErrorKind::not_found, fmt::format("there is no folder {}", printable(*project_option_)),
                "--project names the folder with pyproject.toml");
  }
  return real_path(*project_option_);
}

std::int64_t Context::seconds_since_1970() const {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string Context::caller() const {
  std::optional<std::string> user = environment("USER");
  if (!user) user = environment("LOGNAME");
  if (!user) {  // started by cron, say
    const passwd* account = ::getpwuid(::geteuid());
    user = account != nullptr ? account->pw_name : std::to_string(::geteuid());
  }
  std::array<char, 256> machine{};
  if (::gethostname(machine.data(), machine.size() - 1) != 0) return *user;
  return *user + "@" + machine.data();
}

void Context::print(std::string_view text) {
  terminal_.clear_progress();
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    if (errno == EPIPE) end_by_signal(SIGPIPE);  // "veneer ... | head": the reader has what it wanted
    throw Error(ErrorKind::failed, fmt::format("cannot write to standard output: {}", std::strerror(errno)));
  }
}

Table::Table(std::vector<std::string> head, std::vector<std::size_t> right) : right_(std::move(right)) {
  rows_.push_back(std::move(head));
}

namespace {
/// Characters, which is close enough to columns for what veneer prints.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}
}  // namespace

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string space(widths[i] - width(row[i]), ' ');
      const bool to_right = std::find(right_.begin(), right_.end(), i) != right_.end();
      line += (i > 0 ? "  " : "") + (to_right ? space + row[i] : row[i] + space);
    }
    while (line.ends_with(' ')) line.pop_back();
    out += line + "\n";
  }
  return out;
}

}  // namespace veneer::cli
