// Text taken apart. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace veneer {

/// The separator of git's -z.
inline constexpr std::string_view nul{"\0", 1};

/// The pieces between any of `separators`; empty ones are left out.
std::vector<std::string> split_words(std::string_view text, std::string_view separators);

/// All pieces between `separator`, empty ones too: one more than there are separators.
std::vector<std::string> split_fields(std::string_view text, char separator);

/// Without the white space around it.
std::string_view trimmed(std::string_view text);

}  // namespace veneer
