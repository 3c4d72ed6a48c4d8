#include "registry/address.hh"

#include <algorithm>

#include "foundation/text.hh"

namespace veneer::registry {

namespace {
constexpr std::string_view docker_hub = "docker.io";
}

std::pair<std::string, std::string> split_port(std::string_view host) {
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon == std::string_view::npos) return {std::string(host), ""};
  return {std::string(host.substr(0, colon)), std::string(host.substr(colon + 1))};
}

bool is_loopback(std::string_view host) {
  const std::string name = split_port(host).first;
  if (name == "localhost" || name == "[::1]") return true;
  const std::vector<std::string> parts = split_fields(name, '.');
  return parts.size() == 4 && parts.front() == "127" && std::ranges::all_of(parts, [](const std::string& part) {
           const auto number = read_number<unsigned>(part);
           return number && *number < 256;
         });
}

Address address_of(std::string_view name, const std::vector<std::string>& insecure) {
  Address address{std::string(name), std::string(name), Security::verified_tls, is_loopback(name)};
  if (name == docker_hub) address.host = "registry-1.docker.io";
  const bool is_named = std::ranges::find(insecure, name) != insecure.end() ||
                        std::ranges::find(insecure, split_port(name).first) != insecure.end();
  if (address.is_loopback || is_named) address.security = Security::plain_allowed;
  return address;
}

std::vector<std::string> credential_keys(std::string_view name) {
  if (name == docker_hub) {
    return {"https://index.docker.io/v1/", "docker.io", "index.docker.io", "https://index.docker.io/v1",
            "registry-1.docker.io"};
  }
  const std::string host(name);
  std::vector<std::string> keys{host};
  for (const char* scheme : {"https://", "http://"}) {
    for (const char* path : {"", "/", "/v2/", "/v2", "/v1/", "/v1"}) keys.push_back(scheme + host + path);
  }
  return keys;
}

}  // namespace veneer::registry
