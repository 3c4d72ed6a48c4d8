#include "engine/local_engines.hh"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/docker_contexts.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"

namespace veneer::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t largest_file = 1024 * 1024;
constexpr std::string_view default_context = "default";  // the variables and the usual socket, not a file

std::optional<fs::path> docker_folder(const Environment& environment) {
  if (const auto folder = environment("DOCKER_CONFIG")) return *folder;
  if (const auto home = environment("HOME")) return fs::path(*home) / ".docker";
  return std::nullopt;
}

// What a file says, as `read` reads it; nothing when it is absent.
template <typename Read>
auto read_from(const fs::path& file, const Read& read) -> std::optional<decltype(read(std::string()))> {
  try {
    const auto text = read_text_file_if_exists(file, largest_file);
    if (!text) return std::nullopt;
    return read(*text);
  } catch (Error& error) {
    error.add_context("reading " + printable(file.native()));
    if (error.hint().empty()) error.set_hint("mend the file, or name the engine by DOCKER_HOST");
    throw;
  }
}

DockerChoice choose_context(const fs::path& folder, const std::string& name, const std::string& named_by) {
  const fs::path file = context_meta_file(folder, name);
  const std::string shown = fmt::format("the Docker context '{}' ({})", printable(name), named_by);
  const auto context = read_from(file, [&](const std::string& text) { return read_docker_context(text, name); });
  if (!context) {
    throw Error(ErrorKind::not_found, fmt::format("{} does not exist: no {}", shown, printable(file.native())),
                "`docker context ls` shows those that do; DOCKER_HOST names an engine without one");
  }
  if (context->verification == DockerContext::Verification::skipped && !context->host.starts_with("unix://")) {
    throw Error(
        ErrorKind::refused,
        fmt::format("{} does not check the engine's certificate: SkipTLSVerify in {}", shown, printable(file.native())),
        "give the context the certificate that the engine's is signed by");
  }
  DockerChoice choice{context->host, std::nullopt, shown};
  const fs::path certificates = context_certificates(folder, name);
  std::error_code ignored;
  if (fs::exists(certificates, ignored)) choice.certificates = certificates;
  return choice;
}

}  // namespace

EngineAddress DockerChoice::address() const {
  return in_context([&] { return chosen_by; }, [&] { return read_docker_host(host, certificates); });
}

std::optional<fs::path> docker_certificates(const Environment& environment) {
  if (!environment("DOCKER_TLS_VERIFY")) return std::nullopt;
  if (const auto folder = environment("DOCKER_CERT_PATH")) return *folder;
  return docker_folder(environment).value_or("/.docker");
}

DockerChoice choose_docker(const Environment& environment) {
  if (const auto host = environment("DOCKER_HOST")) return {*host, docker_certificates(environment), "DOCKER_HOST"};
  const auto folder = docker_folder(environment);
  std::optional<std::string> name = environment("DOCKER_CONTEXT");
  std::string named_by = "DOCKER_CONTEXT";
  if (!name && folder) {
    const fs::path config = *folder / "config.json";
    name = read_from(config, read_current_context).value_or(std::nullopt);
    named_by = "currentContext of " + printable(config.native());
  }
  if (!name || *name == default_context) return {"", std::nullopt, "Docker's usual socket"};
  return choose_context(folder.value_or("/.docker"), *name, named_by);
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
