// YAML as compose files use it, read by libyaml into nodes with lines. Aliases are copied and merge keys ("<<")
// applied; both count against the limits, so a small text cannot become a large document. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace veneer::owners {

struct YamlNode {
  enum class Kind { scalar, list, table };

  Kind kind = Kind::scalar;
  std::string text;               // of a scalar
  bool is_plain = false;          // a scalar without quotes: null, numbers and booleans are plain
  std::size_t line = 0;           // from 1
  std::vector<YamlNode> items;    // of a list, or the values of a table
  std::vector<std::string> keys;  // of a table, one for each of `items`

  /// The member `key`, or nullptr when there is none or this is no table.
  const YamlNode* find(std::string_view key) const;
  bool is_null() const { return kind == Kind::scalar && is_plain && (text.empty() || text == "~" || text == "null"); }
};

/// The first document of `text`. Throws Error (refused) for what is no YAML, more than 1 MiB, 32 levels or 50000 nodes,
/// and keys that are no scalars.
YamlNode parse_yaml(std::string_view text);

}  // namespace veneer::owners
