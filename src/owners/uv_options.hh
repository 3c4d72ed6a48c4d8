// Options of `uv sync` and `uv run`. Pure, thread-safe.
#pragma once

#include <string_view>

namespace veneer::owners {

/// Whether the word behind the option is its value ("--extra web"; uv 0.12), where that is not said by "=".
bool uv_option_takes_word(std::string_view option);

}  // namespace veneer::owners
