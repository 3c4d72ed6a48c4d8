// Bearer tokens for one registry (the token authentication of the distribution project): got from the realm that the
// registry's own challenge names, kept for each set of scopes, renewed before they end. Thread-safe.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "net/http.hh"
#include "registry/address.hh"
#include "registry/challenge.hh"
#include "registry/credentials.hh"

namespace veneer::registry {

/// What a token is for: "repository:team/app:pull,push".
using Scopes = std::set<std::string>;
std::string pull_scope(std::string_view repository);
std::string push_scope(std::string_view repository);  // pull and push

using Clock = std::function<std::chrono::steady_clock::time_point()>;

struct Token {
  std::string text;
  std::chrono::steady_clock::time_point got;
  std::chrono::steady_clock::time_point ends;
};

/// What a realm answered, as JSON: "token" or "access_token", and "expires_in" (60 seconds when it is absent, as the
/// specification has it). Throws Error (network); no Error quotes the text.
Token read_token(std::string_view json, std::chrono::steady_clock::time_point now);

/// Throws Error (refused) unless credentials for `address` may be sent to `realm`: https, or http when the registry
/// itself may be spoken to so; without user info.
void check_realm(std::string_view realm, const Address& address);

class Tokens {
 public:
  /// `client` goes to realms, and must outlive this.
  Tokens(const Address& address, net::Client& client, Clock clock)
      : address_(address), client_(client), clock_(std::move(clock)) {}

  /// A token for `scopes` by `challenge`, whose scheme is bearer. One that is kept, unless it ends soon. Throws Error:
  /// refused for a realm that must not be asked, network when it gives none.
  Token get(const Challenge& challenge, const Scopes& scopes, const Login& login);

  /// Forgets `token` of `scopes`, if it is still the one that is kept.
  void forget(const Scopes& scopes, const std::string& token);

 private:
  Token ask(const Challenge& challenge, const Scopes& scopes, const Login& login) const;

  Address address_;
  net::Client& client_;
  Clock clock_;
  std::mutex mutex_;  // held while a realm is asked, so that it is asked once
  std::map<Scopes, Token> tokens_;
};

}  // namespace veneer::registry
