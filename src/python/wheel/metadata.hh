// METADATA and WHEEL of a distribution: headers in the form of e-mail (core metadata, binary distribution format).
// Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace veneer::python {

/// The headers in front of the first empty line, in order. Lines that continue one are taken off, as are lines without
/// a colon; nothing is refused.
class Headers {
 public:
  explicit Headers(std::string_view text);
  /// Values of `key`, whatever the case of its letters, in order; without white space around them.
  std::vector<std::string> all(std::string_view key) const;
  /// The first of them, or an Error (refused) that names `key` and `file`.
  std::string first(std::string_view key, std::string_view file) const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;  // keys in lower case
};

}  // namespace veneer::python
