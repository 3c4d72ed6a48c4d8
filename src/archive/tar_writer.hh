// The canonical tar form that veneer writes: the same entry gives the same bytes, always. docs/formats.md describes it
// byte by byte. Pure, thread-safe.
#pragma once

#include "archive/tar.hh"
#include "foundation/bytes.hh"

namespace veneer::archive {

/// The header of `entry`: one ustar block, preceded by a PAX header only when a field does not fit ustar (a path or
/// link target that cannot be split into prefix and name, non-ASCII text, a number too large or negative, xattrs).
/// Folders are written with a trailing slash; user and group names are empty. Throws Error (refused) for paths that are
/// empty, absolute, or hold ".." parts, and for hard links whose target does.
Bytes tar_header(const TarEntry& entry);

/// Zero bytes that follow `size` bytes of data to fill the last 512-byte block.
std::size_t tar_padding(std::uint64_t size);

/// The two zero blocks at the end.
inline constexpr std::size_t tar_end_size = 1024;

}  // namespace veneer::archive
