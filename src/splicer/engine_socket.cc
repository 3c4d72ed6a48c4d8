#include "splicer/engine_socket.hh"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "foundation/error.hh"
#include "splicer/http_answer.hh"

namespace veneer::splicer {

namespace {

[[noreturn]] void lost(const std::string& what) { throw Error(ErrorKind::network, what); }

// A connection to a unix socket.
class Stream : public ByteSource {
 public:
  explicit Stream(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) lost("the socket's path is too long");
    std::copy(path.begin(), path.end(), address.sun_path);
    descriptor_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): what the interface wants
    if (descriptor_ < 0 || ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      const int error = errno;
      if (descriptor_ >= 0) ::close(descriptor_);
      lost(fmt::format("connecting to the engine at {}: {}", path, std::strerror(error)));
    }
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() override { ::close(descriptor_); }

  void send(ByteView bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) lost(fmt::format("sending to the engine: {}", std::strerror(errno)));
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }
  std::size_t read(std::span<std::byte> into) override {
    ssize_t count = 0;
    do count = ::recv(descriptor_, into.data(), into.size(), 0);
    while (count < 0 && errno == EINTR);
    if (count < 0) lost(fmt::format("reading the engine's answer: {}", std::strerror(errno)));
    return static_cast<std::size_t>(count);
  }

 private:
  int descriptor_ = -1;
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
    lost(fmt::format("the engine answers {} to GET {}: {}", answer_.status(), target,
                     printable(as_text(ByteView(said).first(count)))));
  }
  HttpAnswer& answer() { return answer_; }

 private:
  Stream& asked(const std::string& target) {
    stream_.send(as_bytes(fmt::format("GET {} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n", target)));
    return stream_;
  }
  Stream stream_;
  HttpAnswer answer_;
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
  HttpAnswer body(stream);
  copy(body, answer);
  answer.commit();
  return body.status();
}

}  // namespace veneer::splicer
