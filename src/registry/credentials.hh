// Who the user is to a registry, by the files of Docker and podman and the programs that these name:
//
//   REGISTRY_AUTH_FILE                                  when it is set
//   DOCKER_CONFIG/config.json (~/.docker/config.json)   auths, credHelpers, credsStore
//   $XDG_RUNTIME_DIR/containers/auth.json,
//   ~/.config/containers/auth.json                      of podman, skopeo and buildah
//
// The first file that knows the registry answers. In a file a helper of the registry is before its own entry, and that
// before the helper of all. Nothing of what is found here is ever in a message. Thread-safe.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veneer::registry {

/// Both empty: nobody in particular.
struct Login {
  std::string user;
  std::string password;
  std::string identity_token;  // a refresh token of OAuth 2, instead of both

  bool is_anonymous() const { return user.empty() && password.empty() && identity_token.empty(); }
};

/// What a file says.
struct AuthFile {
  std::map<std::string, Login> logins;         // by key, see credential_keys()
  std::map<std::string, std::string> helpers;  // registry -> name of its program
  std::string store;                           // the program for all others; "": none
};

/// Reads a config.json or auth.json. Entries of a form that is not known are passed over; Throws Error (refused) for
/// what is no such file, and for the name of a helper that is more than a-z, 0-9 and '-'. No Error quotes the text.
AuthFile read_auth_file(std::string_view text);

using Environment = std::function<std::optional<std::string>(const std::string&)>;

/// The files that there may be, in the order in which they are asked.
std::vector<std::filesystem::path> auth_files(const Environment& environment);

/// What the program docker-credential-`helper` says of `key`; nothing when it knows no such registry. Throws Error
/// (failed) when it is not there, fails, prints something else or takes longer than `patience`.
std::optional<Login> ask_helper(const std::string& helper, const std::string& key,
                                std::chrono::seconds patience = std::chrono::seconds(30));

/// The user's login at the registry `name` ("docker.io"); anonymous when no file knows it. Throws Error: what
/// read_auth_file() (the file is named) and ask_helper() throw.
Login find_login(std::string_view name, const Environment& environment);

}  // namespace veneer::registry
