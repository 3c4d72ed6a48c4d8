#include "engine/local_engines.hh"

#include <fmt/format.h>

#include <vector>

#include "foundation/error.hh"

namespace veneer::engine {

namespace fs = std::filesystem;

std::optional<fs::path> docker_certificates(const Environment& environment) {
  if (!environment("DOCKER_TLS_VERIFY")) return std::nullopt;
  if (const auto folder = environment("DOCKER_CERT_PATH")) return *folder;
  return fs::path(environment("HOME").value_or("/")) / ".docker";
}

EngineAddress docker_address(const Environment& environment) {
  return in_context(
      [] { return "DOCKER_HOST"; },
      [&] { return read_docker_host(environment("DOCKER_HOST").value_or(""), docker_certificates(environment)); });
}

EngineAddress podman_address(const Environment& environment, uid_t user) {
  if (const auto named = environment("CONTAINER_HOST")) {
    return in_context([] { return "CONTAINER_HOST"; }, [&] { return read_docker_host(*named); });
  }
  std::vector<fs::path> folders;
  if (const auto runtime = environment("XDG_RUNTIME_DIR")) folders.emplace_back(*runtime);
  folders.emplace_back(fmt::format("/run/user/{}", user));
  folders.emplace_back("/run");
  for (const fs::path& folder : folders) {
    const fs::path socket = folder / "podman" / "podman.sock";
    std::error_code error;
    if (fs::exists(socket, error)) return read_docker_host("unix://" + fs::absolute(socket).native());
  }
  throw Error(ErrorKind::not_found, "podman has no socket here",
              "`systemctl --user start podman.socket` makes one; CONTAINER_HOST names another");
}

}  // namespace veneer::engine
