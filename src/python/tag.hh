// Compatibility tags (PEP 425; platforms of PEP 600, PEP 656, free-threaded ABIs of PEP 703). Pure, thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "python/target.hh"

namespace veneer::python {

/// Platform tags of wheels that run on the target, best first. Those of macOS, Windows, Android (PEP 738) and iOS
/// (PEP 730) are never among them.
std::vector<std::string> supported_platforms(const Target& target);

/// All tags "python-abi-platform" of wheels that run on the target, best first, as the packaging project orders them.
std::vector<std::string> supported_tags(const Target& target);

/// Finds how good a wheel is.
class TagRanks {
 public:
  explicit TagRanks(const Target& target);
  /// The rank of the best of `tags`, 0 being the best there is; nothing when none runs on the target.
  std::optional<std::size_t> best(const std::vector<std::string>& tags) const;

 private:
  std::unordered_map<std::string, std::size_t> ranks_;
};

}  // namespace veneer::python
