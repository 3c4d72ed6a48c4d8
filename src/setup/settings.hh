// Keys that are added to a TOML file whose other bytes stay as they are: comments, order, line breaks, a missing one at
// the end. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/value.hh"

namespace veneer::setup {

struct Setting {
  std::string table;  // names joined by dots, each a bare key: "tool.veneer.image"
  std::string key;
  Value value;      // text, integer, boolean, list, or a table, which becomes an inline one
  std::string why;  // becomes a comment; may be empty

  bool operator==(const Setting&) const = default;
};

struct Edited {
  std::string text;
  std::vector<Setting> added;
  std::vector<Setting> kept;      // the file says something else there, which stays
  std::vector<Setting> unplaced;  // the file's form leaves no place for them: to be written by hand
};

/// A key goes to the end of its table where the file has one, else into a new table at the end of the file. The result
/// is read again, and a change after which it would not say exactly what it said before, and the new keys, is not made.
/// Throws Error (refused) for a `text` that is no TOML.
Edited add_settings(std::string_view text, const std::vector<Setting>& settings);

/// The text with `setting`, also where the file says another text there; nothing where its form leaves no place for it.
/// Throws Error (refused) for a `text` that is no TOML.
std::optional<std::string> set_text(std::string_view text, const Setting& setting);

/// `key = value`, the reason behind it, or above it where the line would be long.
std::string toml_lines(const Setting& setting);

}  // namespace veneer::setup
