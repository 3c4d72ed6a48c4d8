// Small files as text. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tree/lookup.hh"

namespace veneer::tree {

/// The data of the file at `path`, links followed; empty when no file is there. Throws Error (refused) when it has more
/// than `limit` bytes or its links lead in a circle.
std::string read_text(const Lookup& files, std::string_view path, std::uint64_t limit);

}  // namespace veneer::tree
