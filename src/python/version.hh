// Versions of distributions (PEP 440). Values, pure, thread-safe.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace veneer::python {

struct Version {
  enum class Stage { alpha, beta, candidate };
  /// One segment of a local version: a number, or letters and digits.
  struct LocalSegment {
    std::string text;  // lower case; a number without leading zeros
    bool is_number = false;
    bool operator==(const LocalSegment&) const = default;
  };

  std::uint64_t epoch = 0;
  std::vector<std::uint64_t> release;  // at least one
  std::optional<std::pair<Stage, std::uint64_t>> pre;
  std::optional<std::uint64_t> post;
  std::optional<std::uint64_t> dev;
  std::vector<LocalSegment> local;

  /// Reads every spelling that PEP 440 allows, white space around it too; nothing when `text` is no version or has a
  /// number above 2^64 - 1.
  static std::optional<Version> parse(std::string_view text);

  bool is_prerelease() const { return pre.has_value() || dev.has_value(); }
  /// The same without its local part.
  Version without_local() const;
  /// The normalised form.
  std::string text() const;
};

/// The order of PEP 440; "1.0" and "1.0.0" are equal.
std::strong_ordering operator<=>(const Version& left, const Version& right);
inline bool operator==(const Version& left, const Version& right) { return (left <=> right) == 0; }

/// Whether both are versions and equal, or one is the other as names of files escape it ("1.0_abc" for "1.0+abc").
bool same_version(std::string_view left, std::string_view right);

}  // namespace veneer::python
