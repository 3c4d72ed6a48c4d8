#include "registry/token.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "foundation/json.hh"

namespace veneer::registry {

using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

constexpr std::uint64_t answer_limit = 1 << 20;
constexpr seconds usual_life{60};
constexpr std::int64_t longest_life = 24 * 3600;
constexpr seconds longest_margin{10};

/// A token is not used when so little of its life is left: a request takes its time.
steady_clock::duration margin_of(const Token& token) {
  return std::min<steady_clock::duration>(longest_margin, (token.ends - token.got) / 5);
}

}  // namespace

std::string pull_scope(std::string_view repository) { return fmt::format("repository:{}:pull", repository); }
std::string push_scope(std::string_view repository) { return fmt::format("repository:{}:pull,push", repository); }

Token read_token(std::string_view json, steady_clock::time_point now) {
  try {
    const Value answer = parse_json(json);
    Token token{answer.string_or("token", ""), now, now + usual_life};
    if (token.text.empty()) token.text = answer.string_or("access_token", "");
    if (const Value* life = answer.find("expires_in"); life != nullptr && !life->is_null()) {
      const std::int64_t count =
          life->is_real() ? static_cast<std::int64_t>(std::clamp(life->real(), 0.0, 1e5)) : life->integer();
      if (count > 0) token.ends = now + seconds(std::min(count, longest_life));
    }
    const bool is_usable =
        !token.text.empty() && std::ranges::all_of(token.text, [](char c) { return c > ' ' && c < 127; });
    if (is_usable) return token;
  } catch (const Error&) {
  }
  throw Error(ErrorKind::network, "the token service answers without a token");
}

void check_realm(std::string_view realm, const Address& address) {
  const auto refuse = [&](std::string_view why) {
    return Error(
        ErrorKind::refused,
        fmt::format("the registry {} sends its users to {}, {}", printable(address.name), net::display_url(realm), why),
        "nothing was sent there");
  };
  net::SplitUrl url;
  try {
    url = net::split_url(realm);
  } catch (const Error&) {
    throw refuse("which is no address");
  }
  if (url.credentials) throw refuse("an address with a user of its own");
  if (url.scheme == "https") return;
  if (url.scheme != "http") throw refuse("which is no https address");
  if (address.security != Security::plain_allowed) throw refuse("which is not encrypted");
}

Token Tokens::get(const Challenge& challenge, const Scopes& scopes, const Login& login) {
  const std::lock_guard lock(mutex_);
  const auto kept = tokens_.find(scopes);
  if (kept != tokens_.end() && clock_() < kept->second.ends - margin_of(kept->second)) return kept->second;
  Token token = in_context([&] { return fmt::format("logging in to {}", printable(address_.name)); },
                           [&] { return ask(challenge, scopes, login); });
  tokens_[scopes] = token;
  return token;
}

void Tokens::forget(const Scopes& scopes, const std::string& token) {
  const std::lock_guard lock(mutex_);
  const auto kept = tokens_.find(scopes);
  if (kept != tokens_.end() && kept->second.text == token) tokens_.erase(kept);
}

Token Tokens::ask(const Challenge& challenge, const Scopes& scopes, const Login& login) const {
  const std::string& realm = challenge.parameter("realm");
  check_realm(realm, address_);
  std::string query;
  const auto add = [&](std::string_view name, std::string_view value) {
    query += fmt::format("{}{}={}", query.empty() ? "" : "&", name, net::percent_encode(value));
  };
  if (!challenge.parameter("service").empty()) add("service", challenge.parameter("service"));
  const bool by_identity = !login.identity_token.empty();
  if (by_identity) {  // OAuth 2: one parameter for all scopes
    std::string all;
    for (const std::string& scope : scopes) all += (all.empty() ? "" : " ") + scope;
    if (!all.empty()) add("scope", all);
    add("grant_type", "refresh_token");
    add("client_id", "veneer");
    add("refresh_token", login.identity_token);
  } else {
    for (const std::string& scope : scopes) add("scope", scope);
  }

  net::Request request;
  request.netrc = net::Netrc::unused;
  request.redirects = net::Redirects::return_them;  // credentials and tokens go nowhere else
  request.url = realm;
  std::string text;
  BoundedText sink(text, answer_limit, "the token service answered");
  const net::BodyHandler into_text = [&](const net::Response&) -> ByteSink* {
    text.clear();
    return &sink;
  };
  std::optional<MemorySource> form;
  const net::Response response = client_.send_with_retry(
      [&] {
        net::Request next = request;
        if (by_identity) {
          form.emplace(as_bytes(query));
          next.method = "POST";
          next.headers.push_back({"Content-Type", "application/x-www-form-urlencoded"});
          next.body = &*form;
          next.body_size = query.size();
          next.connection = net::Connection::kept;
        } else {
          if (!query.empty()) next.url += (realm.find('?') == std::string::npos ? "?" : "&") + query;
          if (!login.is_anonymous()) next.credentials = net::Credentials{login.user, login.password};
        }
        return next;
      },
      into_text);
  if (response.ok()) return read_token(text, clock_());
  const std::string hint =
      login.is_anonymous()
          ? fmt::format("nobody is logged in here; 'docker login {}' does that", printable(address_.name))
          : fmt::format("'docker login {}' renews the login", printable(address_.name));
  throw Error(ErrorKind::network,
              fmt::format("{} gives no token (HTTP status {})", net::display_url(realm), response.status), hint);
}

}  // namespace veneer::registry
