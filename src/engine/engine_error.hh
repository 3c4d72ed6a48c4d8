// What an engine says went wrong. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace veneer::engine {

/// One printable line from the body of an answer that reports an error.
std::string read_error(std::string_view body);

/// podman lists every archive format that it tried; only one of them is ours.
std::string_view essence_of(std::string_view problem);

}  // namespace veneer::engine
