// Authenticated requests to one registry (OCI distribution-spec 1.1): what pulls and pushes are made of. Thread-safe;
// connections, tokens and what is known of the registry are shared by all who use the session.
//
// Credentials go to the registry itself and to the realm that its own answer names, nowhere else: redirects, uploads
// and blobs that lie on other hosts are without. The canary of a credential is in no Error and no message.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/stream.hh"
#include "net/http.hh"
#include "registry/address.hh"
#include "registry/challenge.hh"
#include "registry/credentials.hh"
#include "registry/token.hh"

namespace veneer::registry {

/// A body that can be sent again from its start.
struct Body {
  std::function<std::unique_ptr<ByteSource>()> open;
  std::uint64_t size = 0;
};

struct Call {
  std::string method = "GET";
  std::string target;  // below /v2/ ("team/app/manifests/1.2"), or a URL that the registry gave, as in Location
  net::Headers headers;
  Scopes scopes;             // of the token that is needed
  std::optional<Body> body;  // goes with a Content-Length
  net::Redirects redirects = net::Redirects::follow;
  net::Retry retry = net::Retry::transient;  // turned_away for what must not be done twice, such as PATCH
};

struct Answer {
  net::Response response;
  std::string text;  // the body, unless a sink took it; at most 8 MiB

  int status() const { return response.status; }
  bool ok() const { return response.ok(); }
  const std::string* header(std::string_view name) const { return response.header(name); }
};

struct SessionOptions {
  std::filesystem::path ca_bundle;           // trusted besides this machine's (SSL_CERT_FILE, certs.d)
  std::filesystem::path client_certificate;  // PEM, for the registry alone
  std::filesystem::path client_key;
  int attempts = 5;                                       // of a call, see Session::send
  std::function<Login()> login = [] { return Login{}; };  // asked once, when the registry wants one
  Clock clock = [] { return std::chrono::steady_clock::now(); };
  std::function<void(std::chrono::milliseconds)> sleep;  // default: the thread sleeps
  std::optional<std::chrono::seconds> patience;          // while no byte moves; none: that of net::ClientOptions
};

class Session {
 public:
  Session(Address address, SessionOptions options);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  const Address& address() const;

  /// Sends `call` with what the registry wants to see, and gives the answer whatever its status is. Statuses 429 and
  /// 503, and with Retry::transient the others that pass and failures of the line, are tried again: 5 times
  /// (`attempts`) in all, each after at most 30 seconds whatever Retry-After says. A 401 is answered with a (new) token
  /// once; so is a 400 or 403 without challenge when the token has ended meanwhile. `on_answer` says where the body of
  /// an answer with status 2xx goes; it may be called again for another try and must then give a fresh sink. Bodies of
  /// all others are in the Answer. Throws Error: network (TransportError), refused (the realm, a redirect), what
  /// login() throws.
  Answer send(const Call& call, const net::BodyHandler& on_answer = {});

  /// The same for calls without bodies, all at once (see net::Client::send_together). Answers in the order of `calls`.
  std::vector<Answer> send_together(const std::vector<Call>& calls);

  /// Waits, as the options say, before something is tried again.
  void pause(std::chrono::milliseconds time) const;

  /// Makes `target` of a Location header absolute, as seen from the answer that has it.
  std::string resolve(const Answer& answer, std::string_view location) const;

 private:
  template <typename Action>
  auto hinted(const Action& action) const -> decltype(action());

  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// What a registry says of its refusal (distribution-spec "Error Codes"): the codes of its JSON, "BLOB_UNKNOWN", and
/// the first message, made printable. Never throws.
struct RefusalText {
  std::vector<std::string> codes;
  std::string message;
  bool has(std::string_view code) const;
};
RefusalText read_refusal(std::string_view body);

/// The Error for an answer that is not the one that was wanted: not_found for 404, else network, with status, what the
/// registry says, and for 401 and 403 a hint about logins. `what`: "the manifest of team/app:1".
[[noreturn]] void throw_refusal(const Session& session, const Answer& answer, std::string_view what);

}  // namespace veneer::registry
