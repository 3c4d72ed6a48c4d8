// What the image before tells of a distribution, so that one who lacks its wheel need not fetch it to plan. Values.
// Pure, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veneer::plan {

struct MemberFacts {
  std::string wheel;  // stands for the wheel that they are of; empty in none
  /// Where it has files, each at most two names long: "numpy.libs" in site-packages, "bin/f2py" beside it. Its own name
  /// and its .dist-info are not listed. Two distributions without a place in common share no path.
  std::vector<std::string> places;
  std::vector<std::string> libraries;  // python::WheelNeeds, as far as they matter
  std::vector<std::string> brings;
  std::vector<std::string> asks_for;
  std::optional<std::uint64_t> size;  // Component::size, where the lock does not say it
  bool operator==(const MemberFacts&) const = default;
};

/// Whether a text may stand in facts: short, of printable ASCII characters, and none that separates or is quoted.
bool is_plain_fact(std::string_view text);

/// "0123abcd:numpy.libs,bin/f2py:libstdc++.so.6": the wheel, the lists and the size, separated by colons; empty ones at
/// the end are left out.
std::string to_text(const MemberFacts& facts);

/// Nothing for what to_text() does not write.
std::optional<MemberFacts> read_member_facts(std::string_view text);

}  // namespace veneer::plan
