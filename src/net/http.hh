// A small HTTP client over libcurl: package indexes, registries, and the API of a container engine on a unix socket. A
// Client may be used by several threads at once; it keeps connections open between requests.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/error.hh"
#include "foundation/stream.hh"

namespace veneer::net {

/// HTTP basic authentication (RFC 7617).
struct Credentials {
  std::string user;
  std::string password;  // empty: that of this user in the netrc file, if it has one
};

struct Header {
  std::string name;
  std::string value;
};
using Headers = std::vector<Header>;

enum class Redirects {
  follow,       // at most 10, for requests without a body
  return_them,  // a 3xx answer is the answer
};

/// For a request with a body. A kept connection may turn out to be dead after a part of the body was read, which then
/// cannot be read again: an Error of the transport.
enum class Connection {
  fresh,
  kept,  // for a sender that has the body still
};

/// When the client's netrc file, which knows hosts but neither schemes nor ports, is asked.
enum class Netrc {
  over_https,
  over_http_too,  // where the user named the very server as one of plain http
  unused,
};

/// Which failures of a request are worth another try.
enum class Retry {
  transient,    // every one that may pass: the request may be carried out twice
  turned_away,  // only answers that say that nothing was done: 429, 503
};

struct Request {
  std::string method = "GET";
  std::string url;  // http or https; user info in it is taken as credentials and never shown
  Headers headers;
  std::optional<Credentials> credentials;
  Netrc netrc = Netrc::over_https;         // for a request without credentials or password
  ByteSource* body = nullptr;              // must outlive the call; sent as it is read
  std::optional<std::uint64_t> body_size;  // Content-Length; without it the body is sent chunked
  Connection connection = Connection::fresh;
  enum class Certificate { shown, withheld } certificate = Certificate::shown;  // the client's own
  Redirects redirects = Redirects::follow;
  Retry retry = Retry::transient;                     // of send_with_retry
  std::optional<std::chrono::seconds> stall_timeout;  // instead of the client's; 0 = never
};

struct Response {
  int status = 0;
  Headers headers;  // of the last answer, in its order
  std::string
      url;  // that answered, after redirects; without user info. It may hold a signature: show display_url() of it

  /// The first header of that name (case does not matter), or nullptr.
  const std::string* header(std::string_view name) const;
  /// The values of all headers of that name.
  std::vector<std::string> headers_named(std::string_view name) const;
  /// How long the server asks to wait (RFC 9110 section 10.2.3), at most a day. A date counts from the answer's own.
  std::optional<std::chrono::seconds> retry_after() const;
  /// Where the bytes of a 206 answer begin, as its Content-Range says.
  std::optional<std::uint64_t> range_start() const;
  bool ok() const { return status >= 200 && status < 300; }
};

/// Called once the status and headers of the answer are there; says where its body goes. nullptr: read and forget it,
/// 16 MiB at most (else Error refused). The sink is not committed by the client.
using BodyHandler = std::function<ByteSink*(const Response&)>;

struct ClientOptions {
  std::string user_agent = "veneer";
  std::chrono::seconds connect_timeout{20};
  std::chrono::seconds stall_timeout{60};    // an Error when no byte moves in either direction for so long
  std::filesystem::path unix_socket;         // connect to this instead of the URL's host
  std::filesystem::path ca_bundle;           // instead of the system's certificates
  std::filesystem::path client_certificate;  // PEM, shown to servers that ask for one,
  std::filesystem::path client_key;          // with its key
  std::filesystem::path netrc;               // see Netrc

  int attempts = 5;                                      // send_with_retry: tries in all
  std::chrono::milliseconds first_delay{500};            // doubled after every try; up to a half is added by chance
  std::chrono::milliseconds longest_delay{30000};        // no delay is longer, whatever Retry-After asks for
  std::function<void(std::chrono::milliseconds)> sleep;  // default: the thread sleeps
};

/// The connection failed: no answer, or not all of it. Of kind network.
class TransportError : public Error {
 public:
  enum class Retry { sensible, useless };
  enum class Cause {
    line,         // there is no connection any more
    silence,      // none came, or nothing on it for too long: the server may still be at work
    unreachable,  // nothing listens there
    unknown_name,
    no_tls,       // what answers there does not speak it
    certificate,  // nobody who is trusted here vouches for the server's
    expired,      // its certificate has ended
  };
  TransportError(const std::string& message, Retry retry, const std::string& hint = {}, Cause cause = Cause::line)
      : Error(ErrorKind::network, message, hint), retry_(retry), cause_(cause) {}
  Retry retry() const { return retry_; }
  Cause cause() const { return cause_; }

 private:
  Retry retry_;
  Cause cause_;
};

/// What became of one of the requests of Client::send_together().
struct Answered {
  Response response;
  std::string body;
  std::exception_ptr failure;  // what send() would have thrown; then there is no response
};

class Client {
 public:
  explicit Client(ClientOptions options = {});
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  /// Sends the request once and streams the answer's body into what `on_answer` names. Every status is an answer, none
  /// an Error. Throws TransportError, Error (refused) for a URL or redirect that must not be followed (another scheme,
  /// https to http, more than 10), and whatever the body's source or sink throws.
  /// Redirects: method and headers are kept (303: GET), but Authorization, Cookie and credentials, also those of netrc,
  /// only as long as scheme, host and port stay the same; so with the client's certificate. Proxies are those of the
  /// environment, as libcurl reads it.
  Response send(const Request& request, const BodyHandler& on_answer = {});

  /// The same for requests that can be repeated (no body): statuses 408, 425, 429, 500, 502, 503, 504 and transport
  /// errors are tried again after a growing delay (Retry-After is obeyed up to longest_delay). `on_answer` is called
  /// anew for every try that gets an answer which is not one of these, and must then give a sink in its fresh state.
  /// The last try's answer or error is returned whatever it is.
  Response send_with_retry(const Request& request, const BodyHandler& on_answer = {});
  /// The same; every try sends what `next_request` gives then, such as the rest of a file that came in part, or a body
  /// from its start.
  Response send_with_retry(const std::function<Request()>& next_request, const BodyHandler& on_answer);

  /// Sends requests without bodies at once: over HTTP/2 all on one connection, else on up to 32. Nothing is tried again
  /// and no redirect is followed. Answers have the order of the requests, their bodies at most `limit` bytes.
  std::vector<Answered> send_together(const std::vector<Request>& requests, std::uint64_t limit);

  /// send_with_retry with the body in `body`, at most `limit` bytes (else Error refused).
  Response fetch(const Request& request, std::string& body, std::uint64_t limit);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// Whether an answer of this status may be another one a little later.
bool is_transient(int status);

/// `url` as it may be shown: user info, query and fragment are replaced by "***", control characters escaped.
std::string display_url(std::string_view url);

/// An absolute URL without user info, and the user info (percent-decoded) if there was any.
struct SplitUrl {
  std::string scheme;
  std::string host;  // in lower case
  std::uint16_t port = 0;
  std::string path;  // percent-decoded
  std::string without_user_info;
  std::optional<Credentials> credentials;
};

/// Throws Error (refused) for what is no URL of scheme http, https or file.
SplitUrl split_url(std::string_view url);

/// `location` as it is meant in an answer from `base` (RFC 3986 section 5). Throws Error (refused).
std::string resolve_url(std::string_view base, std::string_view location);

/// Whether scheme, host and port are the same (RFC 6454).
bool same_origin(const SplitUrl& a, const SplitUrl& b);

/// Percent-encodes everything but letters, digits and "-._~" (RFC 3986, unreserved), for a query's value.
std::string percent_encode(std::string_view text);

/// Whether both are the name of one header: case does not matter.
bool same_name(std::string_view a, std::string_view b);

}  // namespace veneer::net
