// Reading xz files. One reader belongs to one thread.
#pragma once

#include <memory>

#include "foundation/stream.hh"

namespace veneer::archive {

/// Decompresses all streams of an .xz file (by liblzma), checking the sums of each, with at most 256 MiB of memory.
/// Junk or truncation is an Error (refused).
std::unique_ptr<ByteSource> open_xz(std::unique_ptr<ByteSource> compressed);

}  // namespace veneer::archive
