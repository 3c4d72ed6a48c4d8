// Views of raw memory. Used everywhere; all functions are pure and thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace veneer {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

inline ByteView as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

inline std::string_view as_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

inline void append(Bytes& to, ByteView from) { to.insert(to.end(), from.begin(), from.end()); }

/// Little-endian unsigned integer of `sizeof(Integer)` bytes at `bytes[0]`. The caller has checked the length.
template <typename Integer>
Integer load_little_endian(const std::byte* bytes) {
  Integer value = 0;
  for (std::size_t i = sizeof(Integer); i-- > 0;) {
    value = static_cast<Integer>((value << 8) | std::to_integer<Integer>(bytes[i]));
  }
  return value;
}

template <typename Integer>
void append_little_endian(Bytes& to, Integer value) {
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    to.push_back(static_cast<std::byte>((value >> (8 * i)) & 0xff));
  }
}

}  // namespace veneer
