#include "registry/session.hh"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/parallel.hh"

namespace veneer::registry {

namespace {

constexpr std::uint64_t text_limit = 8 << 20;
constexpr std::size_t parallel_repeats = 8;
net::ClientOptions client_options(const SessionOptions& options) {
  net::ClientOptions result;
  result.ca_bundle = options.ca_bundle;
  result.sleep = options.sleep;
  result.attempts = options.attempts;
  if (options.patience) result.stall_timeout = *options.patience;
  return result;
}

net::ClientOptions registry_options(const SessionOptions& options) {
  net::ClientOptions result = client_options(options);
  result.client_certificate = options.client_certificate;
  result.client_key = options.client_key.empty() ? options.client_certificate : options.client_key;
  return result;
}

bool is_url(std::string_view target) { return target.starts_with("https://") || target.starts_with("http://"); }

/// Who asks, as a request says it.
struct Proof {
  std::optional<Token> token;
  std::optional<net::Credentials> basic;
};

}  // namespace

class Session::Implementation {
 public:
  Implementation(Address given, SessionOptions options)
      : address(std::move(given)),
        options_(std::move(options)),
        client(registry_options(options_)),
        realm_client_(client_options(options_)),
        tokens_(address, realm_client_, options_.clock) {
    if (address.security == Security::verified_tls) origin_ = "https://" + address.host;
  }

  Answer send(const Call& call, const net::BodyHandler& on_answer);
  net::Request request_for(const Call& call, const Proof& proof);
  Proof proof_for(const Call& call);
  void settle();
  bool may_be_renewed(const Call& call, const Answer& answer, const Proof& proof);
  bool is_own(std::string_view url);
  std::string origin();
  void pause(std::chrono::milliseconds time) const {
    options_.sleep ? options_.sleep(time) : std::this_thread::sleep_for(time);
  }

  Address address;

 private:
  SessionOptions options_;

 public:
  net::Client client;

 private:
  net::Client realm_client_;
  Tokens tokens_;
  std::mutex mutex_;
  std::string origin_;  // "https://host"; empty until it is known whether a registry of this machine speaks TLS
  bool was_asked_ = false;
  std::optional<Challenge> challenge_;
  std::optional<Login> login_;

  net::Response ask(const std::string& origin);
  std::string origin_locked();
  void learn(const net::Response& response);
  const Login& login();
};

/// GET /v2/, without anything secret, to see what the registry wants. The caller holds the lock.
net::Response Session::Implementation::ask(const std::string& origin) {
  net::Request request;
  request.url = origin + "/v2/";
  request.netrc = net::Netrc::unused;
  request.redirects = net::Redirects::return_them;
  net::Response response = client.send(request);
  if (response.status == 401) learn(response);
  was_asked_ = true;
  return response;
}

/// A registry that may be spoken to in plain words is asked whether it does.
std::string Session::Implementation::origin_locked() {
  if (!origin_.empty()) return origin_;
  const std::string plain = "http://" + address.host;
  const std::string secured = "https://" + address.host;
  if (split_port(address.host).second == "443") return origin_ = secured;
  try {
    const net::Response response = ask(plain);
    const bool speaks_plainly = response.status != 400 && (response.status < 300 || response.status > 399);
    if (speaks_plainly) return origin_ = plain;
  } catch (const net::TransportError&) {  // that of the secured one is what will be told
  }
  was_asked_ = false;
  challenge_.reset();
  return origin_ = secured;
}

std::string Session::Implementation::origin() {
  const std::lock_guard lock(mutex_);
  return origin_locked();
}

bool Session::Implementation::is_own(std::string_view url) {
  return net::same_origin(net::split_url(url), net::split_url(origin() + "/"));
}

const Login& Session::Implementation::login() {
  if (!login_) login_ = options_.login();
  return *login_;
}

/// What the registry wants to see, by an answer of its own with status 401. The caller holds the lock.
void Session::Implementation::learn(const net::Response& response) {
  std::optional<Challenge> basic;
  std::optional<Challenge> bearer;
  for (const std::string& value : response.headers_named("WWW-Authenticate")) {
    for (Challenge& challenge : read_challenges(value)) {
      if (challenge.scheme == "bearer" && !bearer)
        bearer = std::move(challenge);
      else if (challenge.scheme == "basic" && !basic)
        basic = std::move(challenge);
    }
  }
  challenge_ = bearer ? bearer : basic;
}

Proof Session::Implementation::proof_for(const Call& call) {
  Proof proof;
  std::optional<Challenge> challenge;
  Login who;
  {
    const std::lock_guard lock(mutex_);
    challenge = challenge_;
    if (challenge) who = login();
  }
  if (!challenge) return proof;
  if (challenge->scheme == "bearer") {
    Scopes scopes = call.scopes;
    if (scopes.empty() && !challenge->parameter("scope").empty()) scopes.insert(challenge->parameter("scope"));
    proof.token = tokens_.get(*challenge, scopes, who);
  } else if (!who.user.empty() || !who.password.empty()) {
    proof.basic = net::Credentials{who.user, who.password};
  }
  return proof;
}

net::Request Session::Implementation::request_for(const Call& call, const Proof& proof) {
  net::Request request;
  request.method = call.method;
  request.url = is_url(call.target) ? call.target : origin() + "/v2/" + call.target;
  request.headers = call.headers;
  request.netrc = net::Netrc::unused;
  request.redirects = call.redirects;
  request.retry = call.retry;
  request.connection = net::Connection::kept;
  if (!is_own(request.url)) {
    request.certificate = net::Request::Certificate::withheld;
    const bool is_plain = request.url.starts_with("http://");
    if (is_plain && address.security == Security::verified_tls) {
      throw Error(ErrorKind::refused, fmt::format("the registry {} names {}, which is not encrypted",
                                                  printable(address.name), net::display_url(request.url)));
    }
    return request;
  }
  if (proof.token) request.headers.push_back({"Authorization", "Bearer " + proof.token->text});
  request.credentials = proof.basic;
  return request;
}

/// Before a body is sent, or much at once: whether the registry wants to know who asks.
void Session::Implementation::settle() {
  const std::lock_guard lock(mutex_);
  const std::string origin = origin_locked();
  if (!was_asked_) static_cast<void>(ask(origin));
}

/// Whether another login may change the answer; what was wrong about the last one is forgotten then.
bool Session::Implementation::may_be_renewed(const Call& call, const Answer& answer, const Proof& proof) {
  if (!is_own(answer.response.url)) return false;
  const int status = answer.status();
  if (status == 401 && answer.header("WWW-Authenticate") != nullptr) {
    {
      const std::lock_guard lock(mutex_);
      learn(answer.response);
    }
    if (proof.token) tokens_.forget(call.scopes, proof.token->text);
    return !proof.basic;
  }
  if (!proof.token || (status != 400 && status != 401 && status != 403)) return false;
  const bool is_over = options_.clock() >= proof.token->ends || answer.text.find("expired") != std::string::npos;
  if (is_over) tokens_.forget(call.scopes, proof.token->text);
  return is_over;
}

Answer Session::Implementation::send(const Call& call, const net::BodyHandler& on_answer) {
  if (call.body) settle();
  int unknown = 0;  // answers to requests that said nothing of who asks
  int known = 0;
  for (;;) {
    Answer answer;
    Proof proof;
    BoundedText text(answer.text, text_limit, "the registry answered");
    std::unique_ptr<ByteSource> source;
    const auto next_request = [&] {
      answer.text.clear();
      static_cast<void>(origin());  // to know what it wants
      proof = proof_for(call);      // a token may end while the registry asks to wait
      net::Request request = request_for(call, proof);
      if (call.body) {
        source = call.body->open();
        request.body = source.get();
        request.body_size = call.body->size;
      }
      return request;
    };
    answer.response = client.send_with_retry(next_request, [&](const net::Response& response) -> ByteSink* {
      return response.ok() && on_answer ? on_answer(response) : &text;
    });
    {
      const std::lock_guard lock(mutex_);
      was_asked_ = true;
    }
    int& count = proof.token || proof.basic ? known : unknown;
    if (++count == 2 || !may_be_renewed(call, answer, proof)) return answer;
  }
}

Session::Session(Address address, SessionOptions options)
    : implementation_(std::make_unique<Implementation>(std::move(address), std::move(options))) {}
Session::~Session() = default;

void Session::pause(std::chrono::milliseconds time) const { implementation_->pause(time); }

const Address& Session::address() const { return implementation_->address; }

/// Failures of the line say what helps with registries.
template <typename Action>
auto Session::hinted(const Action& action) const -> decltype(action()) {
  try {
    return action();
  } catch (net::TransportError& error) {
    const std::string name = printable(address().name);
    if (error.cause() == net::TransportError::Cause::no_tls) {
      error.set_hint(fmt::format("if {} is to be spoken to in plain http: --insecure {}", name, name));
    } else if (error.cause() == net::TransportError::Cause::certificate) {
      error.set_hint(
          fmt::format("name the authority that vouches for it: --ca FILE, or ca = \"FILE\" in "
                      "[tool.veneer.registries.\"{}\"]",
                      name));
    }
    throw;
  }
}

Answer Session::send(const Call& call, const net::BodyHandler& on_answer) {
  return hinted([&] { return implementation_->send(call, on_answer); });
}

std::vector<Answer> Session::send_together(const std::vector<Call>& calls) {
  std::vector<Answer> answers(calls.size());
  if (calls.empty()) return answers;
  hinted([&] { implementation_->settle(); });
  std::vector<net::Request> requests;
  std::vector<Proof> proofs;
  for (const Call& call : calls) {
    proofs.push_back(implementation_->proof_for(call));
    requests.push_back(implementation_->request_for(call, proofs.back()));
  }
  std::vector<net::Answered> answered = implementation_->client.send_together(requests, text_limit);
  std::vector<std::size_t> again;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const int status = answered[i].response.status;
    if (answered[i].failure || status == 400 || status == 401 || status == 403 || net::is_transient(status) ||
        (status >= 300 && status < 400 && calls[i].redirects == net::Redirects::follow)) {
      again.push_back(i);
      continue;
    }
    answers[i] = {std::move(answered[i].response), std::move(answered[i].body)};
  }
  parallel_for(again.size(), parallel_repeats, [&](std::size_t i) { answers[again[i]] = send(calls[again[i]]); });
  return answers;
}

std::string Session::resolve(const Answer& answer, std::string_view location) const {
  return net::resolve_url(answer.response.url, location);
}

bool RefusalText::has(std::string_view code) const { return std::ranges::find(codes, code) != codes.end(); }

RefusalText read_refusal(std::string_view body) {
  RefusalText refusal;
  try {
    const Value document = parse_json(body);
    for (const Value& error : document.array_or_empty("errors")) {
      refusal.codes.push_back(printable(error.string_or("code", ""), 60));
      if (refusal.message.empty()) refusal.message = printable(error.string_or("message", ""));
    }
  } catch (const Error&) {
  }
  return refusal;
}

void throw_refusal(const Session& session, const Answer& answer, std::string_view what) {
  const RefusalText refusal = read_refusal(answer.text);
  std::string says = fmt::format("HTTP status {}", answer.status());
  if (!refusal.codes.empty()) says += ", " + refusal.codes.front();
  if (!refusal.message.empty()) says += ": " + refusal.message;
  const std::string name = printable(session.address().name);
  if (answer.status() == 404) {
    throw Error(ErrorKind::not_found, fmt::format("{} has no {} ({})", name, what, says));
  }
  const bool is_denied = answer.status() == 401 || answer.status() == 403;
  throw Error(
      ErrorKind::network, fmt::format("{} does not give {} ({})", name, what, says),
      is_denied ? fmt::format("'docker login {}' or 'podman login {}' says who you are there", name, name) : "");
}

}  // namespace veneer::registry
