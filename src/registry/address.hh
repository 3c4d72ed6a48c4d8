// Where a registry is, by the name that image references have for it. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace veneer::registry {

/// How a registry may be spoken to.
enum class Security {
  verified_tls,   // https, its certificate verified
  plain_allowed,  // http too: it is this machine's own, or the user said so (--insecure)
};

struct Address {
  std::string name;  // as in references: "docker.io", "registry.example:5000", "[::1]:5000"
  std::string host;  // with its port if it has one, as in URLs: "registry-1.docker.io"
  Security security = Security::verified_tls;
  bool is_loopback = false;
};

/// The registry `name`, which is one that image::parse_reference() gives. `insecure` are names of the user's choice.
Address address_of(std::string_view name, const std::vector<std::string>& insecure = {});

/// Whether `host`, with or without a port, is this machine: "localhost", 127.0.0.0/8 or ::1.
bool is_loopback(std::string_view host);

/// `host` without its port, and the port ("" when it has none).
std::pair<std::string, std::string> split_port(std::string_view host);

/// The keys under which files of credentials have those of the registry `name`, the best first.
std::vector<std::string> credential_keys(std::string_view name);

}  // namespace veneer::registry
