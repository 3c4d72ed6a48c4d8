#include "deliver/receiver/ssh/host_script.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "foundation/text.hh"

namespace veneer::deliver {

namespace {

constexpr std::string_view prelude =
#include <host_prelude.inc>
    ;
constexpr std::string_view ship_part =
#include <host_ship.inc>
    ;
constexpr std::string_view rows_part =
#include <host_rows.inc>
    ;
constexpr std::string_view services_part =
#include <host_services.inc>
    ;
constexpr std::string_view container_part =
#include <host_container.inc>
    ;
constexpr std::string_view health_part =
#include <host_health.inc>
    ;
constexpr std::string_view facts_part =
#include <host_facts.inc>
    ;
constexpr std::string_view rollout_part =
#include <host_rollout.inc>
    ;

constexpr std::uint64_t longest_answer = 16 * 1024 * 1024;
constexpr std::size_t longest_line = 1024 * 1024;
constexpr std::size_t kept_preamble = 2000;

// Line by line without indentation, comments and empty lines. The script has no text over several lines in which
// these would count, but for a line end alone.
std::string stripped(std::string_view source) {
  std::string text;
  while (!source.empty()) {
    const std::size_t end = std::min(source.find('\n'), source.size() - 1);
    std::string_view line = source.substr(0, end + 1);
    source.remove_prefix(end + 1);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    if (line.empty() || line == "\n" || line.starts_with('#')) continue;
    text += line;
  }
  return text;
}

bool is_harmless(char c) {
  return is_letter(c) || is_digit(c) || std::string_view("._:/@+,=%&?- ").find(c) != std::string_view::npos;
}

}  // namespace

const std::string& host_script(HostTask task) {
  static const std::string ship = stripped(prelude) + stripped(ship_part);
  static const std::string rollout = stripped(prelude) + stripped(rows_part) + stripped(services_part) +
                                     stripped(container_part) + stripped(health_part) + stripped(facts_part) +
                                     stripped(rollout_part);
  return task == HostTask::ship ? ship : rollout;
}

std::string host_command(HostTask task) {
  // Single quotes without any of '!\ or a line end within them mean the same to sh, csh and fish. dd with single
  // bytes takes no more from the pipe than it was told to.
  return fmt::format(R"(exec sh -c 's=$(dd bs=1 count={} 2>/dev/null) && eval "$s"')", host_script(task).size());
}

HostRequest::HostRequest(HostTask task, std::string_view verb, std::string nonce)
    : task_(task), is_question_(verb != "put" && verb != "deploy"), nonce_(std::move(nonce)) {
  add("verb", verb);
  add("nonce", nonce_);
}

void HostRequest::add(std::string_view key, std::string_view value) {
  if (!std::ranges::all_of(value, is_harmless)) {
    throw Error(ErrorKind::usage,
                fmt::format("the {} '{}' has characters that are not sent to a host", key, printable(value)));
  }
  lines_ += fmt::format("{} {}\n", key, value);
}

std::string as_host_word(std::string_view text) {
  std::string word;
  for (const char c : text) {
    const bool is_plain =
        is_letter(c) || is_digit(c) || std::string_view("._:/@+,=-").find(c) != std::string_view::npos;
    word += is_plain ? std::string(1, c) : fmt::format("%{:03o}", static_cast<unsigned char>(c));
  }
  return word;
}

std::string as_name(std::string_view text) {
  std::string word;
  for (const char c : text) {
    const bool is_plain = is_letter(c) || is_digit(c) || std::string_view("._:/@+-").find(c) != std::string_view::npos;
    word += is_plain ? c : '_';
  }
  return word.empty() ? "-" : word;
}

void HostRequest::add_text(std::string_view key, std::string_view text) { add(key, as_host_word(text)); }

HostAnswer::HostAnswer(const std::string& nonce, std::function<void(const HostLine&)> on_line)
    : begin_("veneer " + nonce), end_("end " + nonce), on_line_(std::move(on_line)) {}

void HostAnswer::write(ByteView bytes) {
  if (state_ == State::after) return;
  count_ += bytes.size();
  if (count_ > longest_answer) {
    throw Error(ErrorKind::refused, fmt::format("the host answered more than {} MiB", longest_answer >> 20));
  }
  std::string_view text = as_text(bytes);
  while (!text.empty() && state_ != State::after) {
    const std::size_t end = text.find('\n');
    line_ += text.substr(0, end);
    if (line_.size() > longest_line) throw Error(ErrorKind::refused, "the host answered a line that is too long");
    if (end == std::string_view::npos) return;
    take_line();
    line_.clear();
    text.remove_prefix(end + 1);
  }
}

void HostAnswer::take_line() {
  if (state_ == State::before) {
    if (line_ == begin_) {
      state_ = State::within;
      return;
    }
    preamble_ += line_ + "\n";
    if (preamble_.size() > kept_preamble) preamble_.erase(0, preamble_.size() - kept_preamble);
    return;
  }
  if (line_ == end_) {
    state_ = State::after;
    return;
  }
  const std::size_t space = std::min(line_.find(' '), line_.size());
  on_line_({line_.substr(0, space), line_.substr(std::min(space + 1, line_.size()))});
}

std::string HostAnswer::preamble() const {
  std::string text = preamble_ + (state_ == State::before ? line_ : "");
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return printable(text, kept_preamble);
}

}  // namespace veneer::deliver
