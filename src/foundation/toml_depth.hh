// How deeply a TOML document nests, told before a parser, which recurses, is given it. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <string_view>

namespace veneer {

inline constexpr std::string_view toml_depth_hint =
    "write it with fewer levels, nothing that uv or veneer reads needs so many; is a bracket before it left open?";

/// Refuses a document whose values lie deeper than `most` levels below its root: each part of a key or table header,
/// each array and each element of an array of tables is a level. The Error says line, column and what is too deep.
/// Malformed text is let pass, at the latest where it stops being TOML, where a parser stops too.
void check_toml_depth(std::string_view text, std::size_t most);

}  // namespace veneer
