// Reading compressed layers. One reader belongs to one thread.
#pragma once

#include <memory>

#include "foundation/bytes.hh"
#include "foundation/stream.hh"

namespace veneer::archive {

enum class Encoding { tar, gzip, zstd };  // how a layer's tar is stored; "tar" is uncompressed

std::string_view encoding_name(Encoding encoding);

/// Inflates all members of a gzip file (RFC 1952; by ISA-L), checking CRC and length of each. Junk or truncation behind
/// or in a member is an Error (refused).
std::unique_ptr<ByteSource> open_gzip(std::unique_ptr<ByteSource> compressed);
/// Decompresses all frames of a zstd file (RFC 8878), window at most 128 MiB.
std::unique_ptr<ByteSource> open_zstd(std::unique_ptr<ByteSource> compressed);
/// As told by `encoding`.
std::unique_ptr<ByteSource> open_encoded(std::unique_ptr<ByteSource> stored, Encoding encoding);
/// As told by the first bytes (gzip and zstd magic numbers; else it is taken as it is). `found`, when given, learns
/// which.
std::unique_ptr<ByteSource> open_sniffed(std::unique_ptr<ByteSource> stored, Encoding* found = nullptr);
/// Raw deflate (RFC 1951), one stream; the end of the stream must be the end of `compressed`.
std::unique_ptr<ByteSource> open_deflate(std::unique_ptr<ByteSource> compressed);

}  // namespace veneer::archive
