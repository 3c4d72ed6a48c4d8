// Text for shells. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace veneer {

/// `text` as one word for a POSIX shell, between single quotes (POSIX.1-2017, Shell Command Language 2.2.2).
std::string single_quoted(std::string_view text);

}  // namespace veneer
