#include "engine/docker_contexts.hh"

#include <fmt/format.h>

#include "foundation/digest.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"

namespace veneer::engine {

std::optional<std::string> read_current_context(std::string_view config) {
  std::string name = parse_json(config).string_or("currentContext", "");
  return name.empty() ? std::nullopt : std::optional(std::move(name));
}

DockerContext read_docker_context(std::string_view meta, std::string_view name) {
  const Value document = parse_json(meta);
  if (const std::string& found = document.at("Name").string(); found != name) {
    throw Error(ErrorKind::refused, fmt::format("it is of another context, '{}'", printable(found)));
  }
  const Value& endpoint = document.at("Endpoints").at("docker");
  return {endpoint.string_or("Host", ""), endpoint.boolean_or("SkipTLSVerify", false)
                                              ? DockerContext::Verification::skipped
                                              : DockerContext::Verification::wanted};
}

std::filesystem::path context_meta_file(const std::filesystem::path& docker_folder, std::string_view name) {
  return docker_folder / "contexts" / "meta" / sha256(name).hex() / "meta.json";
}

std::filesystem::path context_certificates(const std::filesystem::path& docker_folder, std::string_view name) {
  return docker_folder / "contexts" / "tls" / sha256(name).hex() / "docker";
}

}  // namespace veneer::engine
