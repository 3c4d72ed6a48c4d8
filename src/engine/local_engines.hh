// Where the engines of this machine listen, as their own clients find them: by variables of the environment, else at
// the usual sockets. Pure but for whether a socket exists; thread-safe.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "engine/engine_transport.hh"

namespace veneer::engine {

/// The value of a variable; an empty one counts as absent.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// The folder with the certificates for TLS, when DOCKER_TLS_VERIFY asks for it: DOCKER_CERT_PATH, else ~/.docker.
std::optional<std::filesystem::path> docker_certificates(const Environment& environment);

/// What DOCKER_HOST names, else Docker's usual socket. Throws Error (usage) for what is not supported.
EngineAddress docker_address(const Environment& environment);

/// What CONTAINER_HOST names, else the first socket that exists: of `user`, then the machine's. Throws Error: not_found
/// when there is none, usage for what is not supported.
EngineAddress podman_address(const Environment& environment, uid_t user);

}  // namespace veneer::engine
