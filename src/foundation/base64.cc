#include "foundation/base64.hh"

#include <algorithm>
#include <cstdint>

#include "foundation/text.hh"

namespace veneer {

namespace {

std::optional<std::uint32_t> digit_of(char c) {
  if (is_upper(c)) return static_cast<std::uint32_t>(c - 'A');
  if (is_lower(c)) return static_cast<std::uint32_t>(c - 'a' + 26);
  if (is_digit(c)) return static_cast<std::uint32_t>(c - '0' + 52);
  if (c == '+') return 62;
  if (c == '/') return 63;
  return std::nullopt;
}

}  // namespace

std::optional<std::string> decode_base64(std::string_view text) {
  const std::size_t given = text.size();
  while (!text.empty() && given - text.size() < 2 && text.back() == '=') text.remove_suffix(1);
  if (text.size() % 4 == 1 || (text.size() != given && given % 4 != 0)) return std::nullopt;
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto digit = digit_of(c);
    if (!digit) return std::nullopt;
    bits = bits << 6 | *digit;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<char>(bits >> count & 0xff));
  }
  if ((bits & ((1u << count) - 1)) != 0) return std::nullopt;  // bits that no byte has
  return bytes;
}

std::string encode_base64_url(ByteView bytes) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (const std::byte byte : bytes) {
    bits = (bits << 8) | std::to_integer<std::uint32_t>(byte);
    for (count += 8; count >= 6; count -= 6) text += alphabet[(bits >> (count - 6)) & 0x3f];
  }
  if (count > 0) text += alphabet[(bits << (6 - count)) & 0x3f];
  return text;
}

std::optional<std::string> decode_base64_url(std::string_view text) {
  if (text.find_first_of("+/=") != std::string_view::npos) return std::nullopt;
  std::string plain(text);
  std::ranges::replace(plain, '-', '+');
  std::ranges::replace(plain, '_', '/');
  return decode_base64(plain);
}

}  // namespace veneer
