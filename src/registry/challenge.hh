// What a registry wants to see before it answers: the WWW-Authenticate header (RFC 9110 section 11.6.1, and the token
// authentication of the distribution project). Pure, thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace veneer::registry {

struct Challenge {
  std::string scheme;                             // in lower case: "bearer", "basic"
  std::map<std::string, std::string> parameters;  // names in lower case; of one named twice the first

  /// "" for one that it lacks.
  const std::string& parameter(const std::string& name) const;
};

/// All challenges of one header, in its order. What cannot be read ends the list; at most 16 are read.
std::vector<Challenge> read_challenges(std::string_view header);

}  // namespace veneer::registry
