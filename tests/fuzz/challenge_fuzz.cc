// WWW-Authenticate headers: any text has at most 16 challenges, whose names are tokens in lower case.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "registry/challenge.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto challenges = veneer::registry::read_challenges(text);
  if (challenges.size() > 16) std::abort();
  for (const auto& challenge : challenges) {
    if (challenge.scheme.empty()) std::abort();
    for (const auto& [name, value] : challenge.parameters) {
      if (name.empty() || value.size() > size) std::abort();
    }
  }
  return 0;
}
