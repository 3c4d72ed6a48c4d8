#include "splicer/engine_socket.hh"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "foundation/error.hh"

namespace veneer::splicer {

namespace {

constexpr std::size_t longest_line = 16 * 1024;
constexpr int most_headers = 100;

[[noreturn]] void fail(const std::string& what) { throw Error(ErrorKind::network, what); }

// A connection to a unix socket, read through a buffer.
class Stream : public ByteSource {
 public:
  explicit Stream(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) fail("the socket's path is too long");
    std::copy(path.begin(), path.end(), address.sun_path);
    descriptor_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): what the interface wants
    if (descriptor_ < 0 || ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      const int error = errno;
      if (descriptor_ >= 0) ::close(descriptor_);
      fail(fmt::format("connecting to the engine at {}: {}", path, std::strerror(error)));
    }
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() override { ::close(descriptor_); }

  void send(ByteView bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail(fmt::format("sending to the engine: {}", std::strerror(errno)));
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }
  std::size_t read(std::span<std::byte> into) override {
    if (begin_ == end_ && !fill()) return 0;
    const std::size_t count = std::min(into.size(), end_ - begin_);
    std::memcpy(into.data(), buffer_.data() + begin_, count);
    begin_ += count;
    return count;
  }
  std::string line() {
    std::string line;
    for (;;) {
      if (begin_ == end_ && !fill()) fail("the engine's answer ends too early");
      const char c = static_cast<char>(buffer_[begin_++]);
      if (c == '\n') break;
      line += c;
      if (line.size() > longest_line) fail("a line of the engine's answer is too long");
    }
    if (line.ends_with('\r')) line.pop_back();
    return line;
  }

 private:
  bool fill() {
    ssize_t count = 0;
    do count = ::recv(descriptor_, buffer_.data(), buffer_.size(), 0);
    while (count < 0 && errno == EINTR);
    if (count < 0) fail(fmt::format("reading the engine's answer: {}", std::strerror(errno)));
    begin_ = 0;
    end_ = static_cast<std::size_t>(count);
    return count > 0;
  }

  int descriptor_ = -1;
  std::array<std::byte, 64 * 1024> buffer_{};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

std::uint64_t number_in(std::string_view text, int base) {
  std::uint64_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (result.ec != std::errc() || result.ptr == text.data()) fail("the engine's answer has a number that is none");
  return number;
}

// Status line, headers, and the body as it was meant: in chunks, of a given length, or to the end.
class Answer : public ByteSource {
 public:
  explicit Answer(Stream& stream) : stream_(stream) {
    do read_head();
    while (status_ == 100);
  }
  int status() const { return status_; }

  std::size_t read(std::span<std::byte> into) override {
    if (framing_ == Framing::chunks && rest_ == 0) next_chunk();
    if (framing_ != Framing::to_the_end) into = into.first(std::min<std::uint64_t>(into.size(), rest_));
    if (into.empty()) return 0;
    const std::size_t count = stream_.read(into);
    if (framing_ == Framing::to_the_end) return count;
    if (count == 0) fail("the engine's answer ends too early");
    rest_ -= count;
    return count;
  }

 private:
  enum class Framing { to_the_end, length, chunks, ended };

  void read_head() {
    const std::string line = stream_.line();
    if (!line.starts_with("HTTP/1.") || line.size() < 12) fail("the engine does not speak HTTP/1");
    status_ = static_cast<int>(number_in(std::string_view(line).substr(9, 3), 10));
    framing_ = Framing::to_the_end;
    for (int i = 0;; ++i) {
      std::string header = stream_.line();
      if (header.empty()) return;
      if (i == most_headers) fail("the engine's answer has too many headers");
      std::ranges::transform(header, header.begin(), [](unsigned char c) { return std::tolower(c); });
      const std::size_t colon = header.find(':');
      const std::string name = header.substr(0, colon);
      std::string value = colon == std::string::npos ? "" : header.substr(colon + 1);
      value.erase(0, value.find_first_not_of(" \t"));
      if (name == "transfer-encoding") {
        if (value != "chunked") fail("the engine's answer is encoded in a way that is not known");
        framing_ = Framing::chunks;
      } else if (name == "content-length" && framing_ != Framing::chunks) {
        framing_ = Framing::length;
        rest_ = number_in(value, 10);
      }
    }
  }
  void next_chunk() {
    if (in_chunk_) (void)stream_.line();
    in_chunk_ = true;
    rest_ = number_in(stream_.line(), 16);
    if (rest_ == 0) framing_ = Framing::ended;
  }

  Stream& stream_;
  int status_ = 0;
  Framing framing_ = Framing::to_the_end;
  std::uint64_t rest_ = 0;
  bool in_chunk_ = false;
};

class Chunks : public ByteSink {
 public:
  explicit Chunks(Stream& stream) : stream_(stream) {}
  void write(ByteView bytes) override {
    if (bytes.empty()) return;
    stream_.send(as_bytes(fmt::format("{:x}\r\n", bytes.size())));
    stream_.send(bytes);
    stream_.send(as_bytes("\r\n"));
  }
  void commit() override { stream_.send(as_bytes("0\r\n\r\n")); }

 private:
  Stream& stream_;
};

}  // namespace

class Download::Connection {
 public:
  Connection(const std::string& socket, const std::string& target) : stream_(socket), answer_(asked(target)) {
    if (answer_.status() == 200) return;
    std::array<std::byte, 1000> said{};
    const std::size_t count = read_full(answer_, said);
    fail(fmt::format("the engine answers {} to GET {}: {}", answer_.status(), target,
                     printable(as_text(ByteView(said).first(count)))));
  }
  Answer& answer() { return answer_; }

 private:
  Stream& asked(const std::string& target) {
    stream_.send(as_bytes(fmt::format("GET {} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n", target)));
    return stream_;
  }
  Stream stream_;
  Answer answer_;
};

Download::Download(const std::string& socket, const std::string& target)
    : connection_(std::make_unique<Connection>(socket, target)) {}
Download::~Download() = default;
std::size_t Download::read(std::span<std::byte> into) { return connection_->answer().read(into); }

int upload(const std::string& socket, const std::string& target, const std::function<void(ByteSink&)>& produce,
           ByteSink& answer) {
  Stream stream(socket);
  stream.send(as_bytes(
      fmt::format("POST {} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\nContent-Type: application/x-tar\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n",
                  target)));
  Chunks chunks(stream);
  produce(chunks);
  chunks.commit();
  Answer body(stream);
  copy(body, answer);
  answer.commit();
  return body.status();
}

}  // namespace veneer::splicer
