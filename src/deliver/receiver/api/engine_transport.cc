#include "deliver/receiver/api/engine_transport.hh"

#include <fmt/format.h>

#include <chrono>

#include "deliver/receiver/engine_answers.hh"
#include "foundation/error.hh"
#include "net/http.hh"

namespace veneer::deliver {

namespace {

constexpr std::string_view default_socket = "/var/run/docker.sock";
constexpr std::size_t longest_socket_path = 107;  // sun_path of sockaddr_un, less the final zero
// An engine says nothing while it unpacks what it was sent.
constexpr std::chrono::seconds patience_for_a_load{3600};
constexpr std::chrono::seconds patience_for_an_answer{120};
constexpr std::uint64_t largest_error_answer = 256 * 1024;

// Collects at most `limit` bytes.
class BoundedText : public ByteSink {
 public:
  BoundedText(std::string& text, std::uint64_t limit) : text_(text), limit_(limit) {}
  void write(ByteView bytes) override {
    if (bytes.size() > limit_ - text_.size()) {
      throw Error(ErrorKind::network, fmt::format("the engine answered more than {} bytes", limit_));
    }
    text_ += as_text(bytes);
  }
  void commit() override {}

 private:
  std::string& text_;
  std::uint64_t limit_;
};

class SocketTransport : public EngineTransport {
 public:
  explicit SocketTransport(const EngineAddress& address) : socket_(address.socket), client_(options_for(address)) {}

  EngineAnswer call(const EngineRequest& request) override {
    net::Request sent = request_for(request.method, request.target);
    const auto body = as_bytes(request.json);
    MemorySource source(body);
    if (!request.json.empty()) {
      sent.headers.push_back({"Content-Type", "application/json"});
      sent.body = &source;
      sent.body_size = body.size();
    }
    EngineAnswer answer;
    BoundedText sink(answer.body, request.answer_limit);
    answer.status = send(sent, [&](const net::Response&) { return &sink; }).status;
    return answer;
  }

  EngineAnswer upload(const std::string& target, ByteSource& archive, std::uint64_t size,
                      ByteSink& on_success) override {
    net::Request sent = request_for("POST", target);
    sent.headers.push_back({"Content-Type", "application/x-tar"});
    sent.body = &archive;
    sent.body_size = size;
    sent.stall_timeout = patience_for_a_load;
    EngineAnswer answer;
    BoundedText failure(answer.body, largest_error_answer);
    const net::Response response =
        send(sent, [&](const net::Response& head) -> ByteSink* { return head.ok() ? &on_success : &failure; });
    answer.status = response.status;
    if (response.ok()) on_success.commit();
    return answer;
  }

 private:
  static net::ClientOptions options_for(const EngineAddress& address) {
    net::ClientOptions options;
    options.unix_socket = address.socket;
    options.stall_timeout = patience_for_an_answer;
    return options;
  }

  static net::Request request_for(const std::string& method, const std::string& target) {
    net::Request request;
    request.method = method;
    request.url = "http://localhost" + target;
    request.redirects = net::Redirects::return_them;
    return request;
  }

  net::Response send(const net::Request& request, const net::BodyHandler& on_answer) {
    try {
      return client_.send(request, on_answer);
    } catch (Error& error) {
      error.add_context(fmt::format("talking to the engine at {}", printable(socket_)));
      if (error.hint().empty() && error.kind() == ErrorKind::network) {
        error.set_hint("is the engine running, and may this user open its socket? DOCKER_HOST names another one");
      }
      throw;
    }
  }

  std::string socket_;
  net::Client client_;
};

}  // namespace

EngineAddress read_docker_host(std::string_view docker_host) {
  if (docker_host.empty()) return {std::string(default_socket)};
  constexpr std::string_view scheme = "unix://";
  if (!docker_host.starts_with(scheme)) {
    const std::string_view named = docker_host.substr(0, docker_host.find("://"));
    throw Error(ErrorKind::usage,
                fmt::format("'{}' is an engine reached by {}, which is not supported", printable(docker_host),
                            printable(named, 40)),
                "give unix:///path/of/the/socket");
  }
  std::string path(docker_host.substr(scheme.size()));
  if (!path.starts_with('/') || path.find('\0') != std::string::npos) {
    throw Error(ErrorKind::usage, fmt::format("'{}' names no socket by its full path", printable(docker_host)),
                "give unix:///path/of/the/socket");
  }
  if (path.size() > longest_socket_path) {
    throw Error(ErrorKind::usage, fmt::format("the path of the socket '{}' is longer than the {} bytes that a socket's "
                                              "name may have",
                                              printable(path), longest_socket_path));
  }
  return {std::move(path)};
}

std::unique_ptr<EngineTransport> connect_to(const EngineAddress& address) {
  return std::make_unique<SocketTransport>(address);
}

}  // namespace veneer::deliver
