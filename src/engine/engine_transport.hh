// How requests reach the Docker Engine API: by a unix socket or by TCP, with TLS or without. One transport belongs to
// one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/stream.hh"

namespace veneer::engine {

struct EngineRequest {
  std::string method = "GET";
  std::string target;              // path and query, starting with "/", encoded
  std::string json;                // body; empty: none
  std::uint64_t answer_limit = 0;  // a longer body is an Error (network)
  enum class Patience { for_an_answer, for_a_load } patience = Patience::for_an_answer;
  enum class Repetition { impossible, by_the_caller } repetition = Repetition::impossible;  // of an upload that fails
};

struct EngineAnswer {
  int status = 0;
  std::string body;
  bool ok() const { return status >= 200 && status < 300; }
};

class EngineTransport {
 public:
  virtual ~EngineTransport() = default;
  /// Any status is an answer. Throws Error (network) when there is none.
  virtual EngineAnswer call(const EngineRequest& request) = 0;
  /// All of them, several at once where that is faster; `on_answer` is called with each answer and the index of its
  /// request, by one thread at a time. Returns how many times it waited, one time after the other.
  virtual int call_all(const std::vector<EngineRequest>& requests,
                       const std::function<void(std::size_t, EngineAnswer)>& on_answer);
  /// Sends a tar archive of exactly `size` bytes as the body of `request`. A good answer's body goes to `on_success` as
  /// it comes and is committed; that of any other status is returned. An upload that the caller repeats when it fails
  /// goes over a connection that is there.
  virtual EngineAnswer upload(const EngineRequest& request, ByteSource& archive, std::uint64_t size,
                              ByteSink& on_success) = 0;
  /// A good answer to a GET goes to `on_success` as it comes, which is not committed; that of any other status is
  /// returned.
  virtual EngineAnswer download(const std::string& target, ByteSink& on_success) = 0;
};

/// Connections to one engine that call_all() uses at most.
inline constexpr std::size_t most_connections = 16;

/// Where an engine listens.
struct EngineAddress {
  std::string socket;  // absolute path; empty: `server`
  std::string server;  // "host:port"
  // TLS, with ca.pem, cert.pem and key.pem of this folder. Without ca.pem, with what this machine trusts.
  std::optional<std::filesystem::path> certificates;

  std::string text() const { return socket.empty() ? server : socket; }
};

/// `docker_host` is the value of DOCKER_HOST: empty for Docker's default, unix:///path, or tcp://host:port, which uses
/// TLS when `certificates` (DOCKER_CERT_PATH) is given. Throws Error (usage) that names what is not supported.
EngineAddress read_docker_host(std::string_view docker_host,
                               const std::optional<std::filesystem::path>& certificates = {});

/// Does not connect before the first request.
std::unique_ptr<EngineTransport> connect_to(const EngineAddress& address);

}  // namespace veneer::engine
