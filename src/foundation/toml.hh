// TOML 1.0, read strictly. Pure, thread-safe.
#pragma once

#include <string_view>

#include "foundation/value.hh"

namespace veneer {

/// Reads one document into a table. Refused with an Error that says the line: malformed text, invalid UTF-8, more than
/// 64 levels, infinities and NaN.
Value parse_toml(std::string_view text);

}  // namespace veneer
