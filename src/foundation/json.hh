// JSON (RFC 8259), read strictly: it may come from anyone. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "foundation/value.hh"

namespace veneer {

/// Reads one document. Refused with an Error: malformed text, text behind the document, a key twice in one table,
/// invalid UTF-8, more than 64 levels, integers outside 64 bits.
Value parse_json(std::string_view text);

/// Writes without white space, keys in the order of the value; bytes depend on the value alone.
std::string to_json(const Value& value);
/// Writes for people: two spaces a level, a line break at the end.
std::string to_pretty_json(const Value& value);

}  // namespace veneer
