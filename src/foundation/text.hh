// Text taken apart. Pure, thread-safe.
#pragma once

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace veneer {

/// The separator of git's -z.
inline constexpr std::string_view nul{"\0", 1};

// Of ASCII, whatever the locale.
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_letter(char c) { return is_lower(c) || is_upper(c); }
constexpr char lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }
std::string lower(std::string_view text);

/// The pieces between any of `separators`; empty ones are left out.
std::vector<std::string> split_words(std::string_view text, std::string_view separators);

/// All pieces between `separator`, empty ones too: one more than there are separators.
std::vector<std::string> split_fields(std::string_view text, char separator);

/// Without the white space around it.
std::string_view trimmed(std::string_view text);

/// Whether `item` is one of `list`, a container of strings or views.
template <typename List>
bool contains(const List& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

/// The decimal number that the whole of `text` is.
template <typename Number>
std::optional<Number> read_number(std::string_view text) {
  Number number{};
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace veneer
