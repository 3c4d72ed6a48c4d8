#include "splicer/http_answer.hh"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>

#include "foundation/error.hh"

namespace veneer::splicer {

namespace {

constexpr std::size_t longest_line = 16 * 1024;
constexpr int most_headers = 100;
constexpr std::size_t status_begin = 9;  // "HTTP/1.1 200"
constexpr std::size_t status_length = 3;
constexpr int status_continue = 100;

[[noreturn]] void bad_answer(const std::string& what) {
  throw Error(ErrorKind::network, "the engine's answer " + what);
}

std::uint64_t number_in(std::string_view text, int base) {
  std::uint64_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (result.ec != std::errc() || result.ptr == text.data()) bad_answer("has a number that is none");
  return number;
}

}  // namespace

HttpAnswer::HttpAnswer(ByteSource& stream) : stream_(stream) {
  do read_head();
  while (status_ == status_continue);
}

bool HttpAnswer::fill() {
  begin_ = 0;
  end_ = stream_.read(buffer_);
  return end_ > 0;
}

std::string HttpAnswer::line() {
  std::string line;
  for (;;) {
    if (begin_ == end_ && !fill()) bad_answer("ends too early");
    const char c = static_cast<char>(buffer_.at(begin_++));
    if (c == '\n') break;
    line += c;
    if (line.size() > longest_line) bad_answer("has a line that is too long");
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

void HttpAnswer::read_head() {
  const std::string start = line();
  if (!start.starts_with("HTTP/1.") || start.size() < status_begin + status_length) bad_answer("is not HTTP/1");
  status_ = static_cast<int>(number_in(std::string_view(start).substr(status_begin, status_length), 10));
  framing_ = Framing::to_the_end;
  rest_ = 0;
  for (int i = 0;; ++i) {
    const std::string header = line();
    if (header.empty()) return;
    if (i == most_headers) bad_answer("has too many headers");
    read_header(header);
  }
}

void HttpAnswer::read_header(const std::string& header) {
  const std::size_t colon = std::min(header.find(':'), header.size());
  std::string name = header.substr(0, colon);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::string value = header.substr(std::min(colon + 1, header.size()));
  value.erase(0, value.find_first_not_of(" \t"));
  if (name == "transfer-encoding") {
    if (value != "chunked") bad_answer("is encoded in a way that is not known");
    framing_ = Framing::chunks;
    rest_ = 0;
  } else if (name == "content-length" && framing_ != Framing::chunks) {
    framing_ = Framing::length;
    rest_ = number_in(value, 10);
  }
}

void HttpAnswer::next_chunk() {
  if (in_chunk_) (void)line();
  in_chunk_ = true;
  rest_ = number_in(line(), 16);
  if (rest_ == 0) framing_ = Framing::ended;
}

std::size_t HttpAnswer::read(std::span<std::byte> into) {
  if (framing_ == Framing::chunks && rest_ == 0) next_chunk();
  if (framing_ != Framing::to_the_end) into = into.first(std::min<std::uint64_t>(into.size(), rest_));
  if (into.empty()) return 0;
  if (begin_ == end_ && !fill()) {
    if (framing_ == Framing::to_the_end) return 0;
    bad_answer("ends too early");
  }
  const std::size_t count = std::min(into.size(), end_ - begin_);
  std::memcpy(into.data(), buffer_.data() + begin_, count);
  begin_ += count;
  if (framing_ != Framing::to_the_end) rest_ -= count;
  return count;
}

}  // namespace veneer::splicer
