// Base64 (RFC 4648). Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "foundation/bytes.hh"

namespace veneer {

/// The bytes that `text` (section 4) stands for; nothing for a text that is no base64. Padding may be left out.
std::optional<std::string> decode_base64(std::string_view text);

/// The alphabet of section 5, safe in URLs and file names, without padding.
std::string encode_base64_url(ByteView bytes);
std::optional<std::string> decode_base64_url(std::string_view text);

}  // namespace veneer
