// Where images of a registry are looked for instead: [tool.veneer.registries] and, read-only, the registries.conf of
// podman (containers-registries.conf(5), version 2). Values; pure, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace veneer::registry {

/// A registry, or a part of one: "mirror.example:5000", "proxy.example/hub".
struct Location {
  std::string registry;  // host[:port]
  std::string prefix;    // of repositories, without slashes around it; often empty
  enum class Transport { tls, plain_allowed } transport = Transport::tls;
  enum class Serves { all, digests_only, tags_only } serves = Serves::all;

  auto operator<=>(const Location&) const = default;
};

/// "host[:port][/path]", also with "https://" or (plain words allowed) "http://" before it. Throws Error (refused).
Location read_location(std::string_view text);

/// What holds for all images whose name begins with `prefix`.
struct Rule {
  std::string prefix;             // "docker.io", "docker.io/library", "*.example"
  std::vector<Location> mirrors;  // asked before `location`, in this order
  Location location;              // where the images themselves are; its registry is empty: under their own name
  enum class Access { open, blocked } access = Access::open;
};
using Rules = std::vector<Rule>;

/// The [[registry]] tables of a registries.conf; what the file says besides is passed over. Throws Error (refused).
Rules read_registries_conf(std::string_view text);

/// The rule of the longest prefix that "`registry`/`repository`" begins with; the first of equal ones. nullptr: none.
const Rule* rule_for(const Rules& rules, std::string_view registry, std::string_view repository);

/// The name that the repository has at `location`, by the rule with `prefix`.
std::string name_at(const Location& location, std::string_view prefix, std::string_view registry,
                    std::string_view repository);

}  // namespace veneer::registry
