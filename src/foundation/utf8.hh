// UTF-8 as in RFC 3629. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <string_view>

namespace veneer {

/// Bytes of the well-formed UTF-8 sequence at the start of `text` (1 to 4), or 0 when there is none.
std::size_t utf8_sequence_length(std::string_view text);

bool is_utf8(std::string_view text);

}  // namespace veneer
