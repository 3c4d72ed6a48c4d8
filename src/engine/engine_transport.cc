#include "engine/engine_transport.hh"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

#include "foundation/error.hh"
#include "foundation/parallel.hh"
#include "foundation/text.hh"
#include "net/http.hh"

namespace veneer::engine {

namespace {

constexpr std::string_view default_socket = "/var/run/docker.sock";
constexpr std::size_t longest_socket_path = 107;  // sun_path of sockaddr_un, less the final zero
// An engine says nothing while it unpacks what it was sent.
constexpr std::chrono::seconds patience_for_a_load{3600};
constexpr std::chrono::seconds patience_for_an_answer{120};
constexpr std::uint64_t largest_error_answer = 256 * 1024;
constexpr std::string_view engine_answered = "the engine answered";

class HttpTransport : public EngineTransport {
 public:
  explicit HttpTransport(const EngineAddress& address)
      : shown_(address.text()), origin_(origin_of(address)), client_(options_for(address)) {}

  EngineAnswer call(const EngineRequest& request) override {
    net::Request sent = request_for(request.method, request.target);
    const auto body = as_bytes(request.json);
    MemorySource source(body);
    if (!request.json.empty()) {
      sent.headers.push_back({"Content-Type", "application/json"});
      sent.body = &source;
      sent.body_size = body.size();
    }
    if (request.patience == EngineRequest::Patience::for_a_load) sent.stall_timeout = patience_for_a_load;
    EngineAnswer answer;
    BoundedText sink(answer.body, request.answer_limit, engine_answered);
    answer.status = send(sent, [&](const net::Response&) { return &sink; }).status;
    return answer;
  }

  int call_all(const std::vector<EngineRequest>& requests,
               const std::function<void(std::size_t, EngineAnswer)>& on_answer) override {
    std::mutex mutex;
    parallel_for(requests.size(), most_connections, [&](std::size_t index) {
      EngineAnswer answer = call(requests[index]);
      const std::lock_guard lock(mutex);
      on_answer(index, std::move(answer));
    });
    return static_cast<int>((requests.size() + most_connections - 1) / most_connections);
  }

  EngineAnswer upload(const EngineRequest& request, ByteSource& archive, std::uint64_t size,
                      ByteSink& on_success) override {
    net::Request sent = request_for(request.method, request.target);
    sent.headers.push_back({"Content-Type", "application/x-tar"});
    sent.body = &archive;
    sent.body_size = size;
    if (request.repetition == EngineRequest::Repetition::by_the_caller) sent.connection = net::Connection::kept;
    sent.stall_timeout = patience_for_a_load;
    EngineAnswer answer;
    BoundedText failure(answer.body, largest_error_answer, engine_answered);
    const net::Response response =
        send(sent, [&](const net::Response& head) -> ByteSink* { return head.ok() ? &on_success : &failure; });
    answer.status = response.status;
    if (response.ok()) on_success.commit();
    return answer;
  }

  EngineAnswer download(const std::string& target, ByteSink& on_success) override {
    EngineAnswer answer;
    BoundedText failure(answer.body, largest_error_answer, engine_answered);
    answer.status = send(request_for("GET", target), [&](const net::Response& head) -> ByteSink* {
                      return head.ok() ? &on_success : &failure;
                    }).status;
    return answer;
  }

 private:
  static std::string origin_of(const EngineAddress& address) {
    if (!address.socket.empty()) return "http://localhost";
    return (address.certificates ? "https://" : "http://") + address.server;
  }
  static net::ClientOptions options_for(const EngineAddress& address) {
    net::ClientOptions options;
    options.unix_socket = address.socket;
    if (address.certificates) {
      const auto existing = [&](const char* name) {
        const std::filesystem::path file = *address.certificates / name;
        std::error_code ignored;
        return std::filesystem::exists(file, ignored) ? file : std::filesystem::path();
      };
      options.ca_bundle = existing("ca.pem");
      options.client_certificate = existing("cert.pem");
      options.client_key = existing("key.pem");
    }
    options.stall_timeout = patience_for_an_answer;
    return options;
  }

  net::Request request_for(const std::string& method, const std::string& target) const {
    net::Request request;
    request.method = method;
    request.url = origin_ + target;
    request.redirects = net::Redirects::return_them;
    return request;
  }

  net::Response send(const net::Request& request, const net::BodyHandler& on_answer) {
    try {
      return client_.send(request, on_answer);
    } catch (Error& error) {
      error.add_context(fmt::format("talking to the engine at {}", printable(shown_)));
      if (error.hint().empty() && error.kind() == ErrorKind::network) {
        error.set_hint(
            "is the engine running, and may this user reach it? DOCKER_HOST or a Docker context names another one");
      }
      throw;
    }
  }

  std::string shown_;
  std::string origin_;
  net::Client client_;
};

}  // namespace

namespace {

EngineAddress read_socket(std::string_view docker_host, std::string_view path) {
  constexpr std::string_view hint = "give unix:///path/of/the/socket";
  if (!path.starts_with('/') || path.find('\0') != std::string_view::npos) {
    throw Error(ErrorKind::usage, fmt::format("'{}' names no socket by its full path", printable(docker_host)),
                std::string(hint));
  }
  if (path.size() > longest_socket_path) {
    throw Error(ErrorKind::usage, fmt::format("the path of the socket '{}' is longer than the {} bytes that a socket's "
                                              "name may have",
                                              printable(path), longest_socket_path));
  }
  return {std::string(path), {}, {}};
}

// "host:port" and nothing else: what is made into a URL must not be able to name another place.
EngineAddress read_server(std::string_view docker_host, std::string_view server,
                          const std::optional<std::filesystem::path>& certificates) {
  if (server.ends_with('/')) server.remove_suffix(1);
  const std::size_t colon = server.rfind(':');
  const std::string_view host = server.substr(0, colon);
  const bool is_plain = !host.empty() && std::ranges::all_of(host, [](char c) {
    return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
  });
  const std::string_view port = colon == std::string_view::npos ? std::string_view() : server.substr(colon + 1);
  const bool is_port =
      !port.empty() && port.size() <= 5 && std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
  if (!is_plain || !is_port) {
    throw Error(ErrorKind::usage, fmt::format("'{}' names no server and port", printable(docker_host)),
                "give tcp://host:2376, or ssh://user@host");
  }
  return {{}, std::string(server), certificates};
}

}  // namespace

EngineAddress read_docker_host(std::string_view docker_host, const std::optional<std::filesystem::path>& certificates) {
  constexpr std::string_view unix_scheme = "unix://";
  constexpr std::string_view tcp_scheme = "tcp://";
  if (docker_host.empty()) return {std::string(default_socket), {}, {}};
  if (docker_host.starts_with(unix_scheme)) return read_socket(docker_host, docker_host.substr(unix_scheme.size()));
  if (docker_host.starts_with(tcp_scheme)) {
    return read_server(docker_host, docker_host.substr(tcp_scheme.size()), certificates);
  }
  const std::string_view named = docker_host.substr(0, docker_host.find("://"));
  if (named == "ssh") {
    throw Error(ErrorKind::usage,
                fmt::format("'{}' is reached by ssh, where images are shipped but not read", printable(docker_host)),
                "forward the engine's socket (`ssh -L /tmp/engine.sock:/var/run/docker.sock HOST`) and give "
                "DOCKER_HOST=unix:///tmp/engine.sock");
  }
  throw Error(ErrorKind::usage,
              fmt::format("'{}' is an engine reached by {}, which is not supported", printable(docker_host),
                          printable(named, 40)),
              "give unix:///path/of/the/socket, tcp://host:port or ssh://user@host");
}

int EngineTransport::call_all(const std::vector<EngineRequest>& requests,
                              const std::function<void(std::size_t, EngineAnswer)>& on_answer) {
  for (std::size_t index = 0; index < requests.size(); ++index) on_answer(index, call(requests[index]));
  return static_cast<int>(requests.size());
}

std::unique_ptr<EngineTransport> connect_to(const EngineAddress& address) {
  return std::make_unique<HttpTransport>(address);
}

}  // namespace veneer::engine
