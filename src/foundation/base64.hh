// Base64 with padding (RFC 4648 section 4). Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace veneer {

/// The bytes that `text` stands for; nothing for a text that is no base64. Padding may be left out.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace veneer
