// The two functions of ISA-L that the hot path calls. Its code for AVX leaves the upper halves of the vector registers
// in use, and as long as they are, the instructions for SHA-256 take twice their time (measured on an AMD EPYC with
// ISA-L 2.30); what is hashed is nearly always what was just inflated or summed. So they are cleared here.
#pragma once

#include <isa-l/igzip_lib.h>

#include <cstdint>

#include "foundation/bytes.hh"

namespace veneer::archive {

/// CRC-32 as in gzip and zip, of what `crc` is of and `bytes` behind it; 0 is that of nothing.
std::uint32_t crc32_of(std::uint32_t crc, ByteView bytes);

/// isal_inflate().
int inflate_some(inflate_state& state);

}  // namespace veneer::archive
