// Two SHA-256 of the same data in one pass. A file in a layer is hashed for RECORD and for the layer's diff ID; its
// data begins at a multiple of 512 bytes in the tar, so both see the same blocks of 64 bytes and share the message
// schedule. The rounds of one hash wait for each other; those of the second one fill the gaps. Used by Sha256 only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "foundation/bytes.hh"

namespace veneer {

inline constexpr std::size_t sha256_block_size = 64;

/// Whether this processor can do the following.
bool has_sha256_instructions();

/// Takes whole blocks into two states (FIPS 180-4, 6.2.2), each of eight words.
void sha256_blocks_twice(std::uint32_t* one, std::uint32_t* other, ByteView blocks);

}  // namespace veneer
