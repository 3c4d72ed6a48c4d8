// An HTTP server on loopback (or a unix socket) whose answers a test decides: errors, cuts, redirects, slow ones.
// Serves each connection on a thread of its own, one request a connection.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cctype>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace veneer::tests {

struct HttpRequest {
  std::string method;
  std::string path;                            // with the query
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

struct HttpReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::size_t cut_after = std::string::npos;  // close the connection after so many bytes of the body
  bool no_answer = false;                     // close it before anything is said
  std::chrono::milliseconds delay_before_body{0};
  bool chunked = false;
};

class HttpServer {
 public:
  using Handler = std::function<HttpReply(const HttpRequest&)>;

  /// On a free port of 127.0.0.1, or on `unix_socket`.
  explicit HttpServer(Handler handler, const std::filesystem::path& unix_socket = {}) : handler_(std::move(handler)) {
    if (unix_socket.empty()) {
      listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
      check(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address));
      socklen_t length = sizeof address;
      check(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length));
      port_ = ::ntohs(address.sin_port);
    } else {
      listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      if (unix_socket.native().size() >= sizeof address.sun_path) throw std::runtime_error("socket path too long");
      std::strcpy(address.sun_path, unix_socket.c_str());
      check(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address));
    }
    check(::listen(listener_, 64));
    acceptor_ = std::thread([this] { accept_all(); });
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    for (std::thread& thread : connections_) thread.join();
  }

  std::string url(std::string_view path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
  }
  int port() const { return port_; }

  /// What was asked so far.
  std::vector<HttpRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  static void check(int result) {
    if (result != 0) throw std::runtime_error(std::string("test server: ") + std::strerror(errno));
  }

  void accept_all() {
    while (!stopping_) {
      const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) continue;
      connections_.emplace_back([this, connection] {
        serve(connection);
        ::shutdown(connection, SHUT_RDWR);
        ::close(connection);
      });
    }
  }

  static bool receive(int connection, std::string& buffer) {
    char piece[65536];
    const ssize_t count = ::recv(connection, piece, sizeof piece, 0);
    if (count <= 0) return false;
    buffer.append(piece, static_cast<std::size_t>(count));
    return true;
  }

  static bool send_all(int connection, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  static bool read_request(int connection, HttpRequest& request) {
    std::string buffer;
    std::size_t end;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
      if (!receive(connection, buffer)) return false;
    }
    std::size_t line_end = buffer.find("\r\n");
    const std::string first = buffer.substr(0, line_end);
    request.method = first.substr(0, first.find(' '));
    request.path = first.substr(first.find(' ') + 1, first.rfind(' ') - first.find(' ') - 1);
    while (line_end < end) {
      const std::size_t start = line_end + 2;
      line_end = buffer.find("\r\n", start);
      const std::string line = buffer.substr(start, line_end - start);
      std::string name = line.substr(0, line.find(':'));
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      request.headers[name] = line.size() > name.size() + 2 ? line.substr(name.size() + 2) : "";
    }
    buffer.erase(0, end + 4);
    if (request.header("transfer-encoding") == "chunked") return read_chunks(connection, buffer, request.body);
    const std::size_t length =
        request.header("content-length").empty() ? 0 : std::stoul(request.header("content-length"));
    while (buffer.size() < length) {
      if (!receive(connection, buffer)) return false;
    }
    request.body = buffer.substr(0, length);
    return true;
  }

  static bool read_chunks(int connection, std::string& buffer, std::string& body) {
    for (;;) {
      std::size_t end;
      while ((end = buffer.find("\r\n")) == std::string::npos) {
        if (!receive(connection, buffer)) return false;
      }
      const std::size_t size = std::stoul(buffer.substr(0, end), nullptr, 16);
      while (buffer.size() < end + 2 + size + 2) {
        if (!receive(connection, buffer)) return false;
      }
      body += buffer.substr(end + 2, size);
      buffer.erase(0, end + 2 + size + 2);
      if (size == 0) return true;
    }
  }

  void serve(int connection) {
    HttpRequest request;
    if (!read_request(connection, request)) return;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const HttpReply reply = handler_(request);
    if (reply.no_answer) return;
    std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " Said\r\nConnection: close\r\n";
    for (const auto& [name, value] : reply.headers) head += name + ": " + value + "\r\n";
    if (reply.chunked) {
      head += "Transfer-Encoding: chunked\r\n";
    } else if (reply.status != 204 && reply.status != 304) {
      head += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
    }
    if (!send_all(connection, head + "\r\n") || request.method == "HEAD") return;
    if (reply.delay_before_body.count() > 0) std::this_thread::sleep_for(reply.delay_before_body);
    const std::string_view body = std::string_view(reply.body).substr(0, reply.cut_after);
    if (!reply.chunked) {
      send_all(connection, body);
      return;
    }
    for (std::size_t at = 0; at < body.size(); at += 1000) {
      const std::string_view piece = body.substr(at, 1000);
      char size[32];
      std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
      if (!send_all(connection, size) || !send_all(connection, piece) || !send_all(connection, "\r\n")) return;
    }
    if (reply.cut_after == std::string::npos) send_all(connection, "0\r\n\r\n");
  }

  Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread acceptor_;
  std::vector<std::thread> connections_;  // touched by the acceptor, then by the destructor
  mutable std::mutex mutex_;
  std::vector<HttpRequest> requests_;
};

/// Answers with `body`, or the part of it that a Range header asks for (RFC 9110 section 14), if `tag` is still right.
inline HttpReply serve_range(const HttpRequest& request, const std::string& body, const std::string& tag = "\"v1\"") {
  HttpReply reply;
  if (!tag.empty()) reply.headers.emplace_back("ETag", tag);
  const std::string range = request.header("range");
  const std::string condition = request.header("if-range");
  if (!range.starts_with("bytes=") || (!condition.empty() && condition != tag)) {
    reply.body = body;
    return reply;
  }
  const std::size_t first = std::stoul(range.substr(6));
  if (first >= body.size()) {
    reply.status = 416;
    reply.headers.emplace_back("Content-Range", "bytes */" + std::to_string(body.size()));
    return reply;
  }
  reply.status = 206;
  reply.body = body.substr(first);
  reply.headers.emplace_back("Content-Range", "bytes " + std::to_string(first) + "-" + std::to_string(body.size() - 1) +
                                                  "/" + std::to_string(body.size()));
  return reply;
}

}  // namespace veneer::tests
