// Where the engines of this machine listen, as their own clients find them: by variables of the environment, contexts,
// else at the usual sockets. They read files of those clients and change none; thread-safe.
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

/// Which Docker is meant when none is named.
struct DockerChoice {
  std::string host;                                   // as DOCKER_HOST has it; empty: Docker's usual socket
  std::optional<std::filesystem::path> certificates;  // see EngineAddress
  std::string chosen_by;                              // "DOCKER_HOST", "the Docker context 'plant'", …

  /// Throws Error (usage) for what is not supported, such as ssh://, where no request can go by itself.
  EngineAddress address() const;
};

/// The folder with the certificates for TLS, when DOCKER_TLS_VERIFY asks for it: DOCKER_CERT_PATH, else Docker's
/// folder.
std::optional<std::filesystem::path> docker_certificates(const Environment& environment);

/// As Docker's own client chooses: DOCKER_HOST, else the context that DOCKER_CONTEXT names, else the one that is
/// current in the folder DOCKER_CONFIG (~/.docker), else the usual socket. Throws Error: not_found for a context that
/// is none, refused for a file that cannot be used; both name the file.
DockerChoice choose_docker(const Environment& environment);

/// What CONTAINER_HOST names, else the first socket that exists: of `user`, then the machine's. Throws Error: not_found
/// when there is none, usage for what is not supported.
EngineAddress podman_address(const Environment& environment, uid_t user);

}  // namespace veneer::engine
