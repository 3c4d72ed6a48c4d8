// Chances as whole numbers, so that every machine decides alike.
#pragma once

#include <cstdint>

namespace veneer::plan {

/// Chances and rates are parts of this.
inline constexpr std::uint64_t one = 1 << 16;
/// Bytes that are counted, in all: times `one` they fit 64 bits.
inline constexpr std::uint64_t most_bytes = std::uint64_t{1} << 46;

}  // namespace veneer::plan
