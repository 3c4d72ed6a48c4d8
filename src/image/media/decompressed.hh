// Files that were compressed as a whole, such as `docker save | gzip`. Called where image archives are opened.
#pragma once

#include <memory>

#include "foundation/stream.hh"

namespace veneer::image {

/// `file` itself, unless its first bytes are those of gzip or zstd: then what it holds, decompressed into a file
/// without a name in the folder for temporary files, which goes with the last user of it. Throws Error (refused) for
/// damaged data and (failed) when the disk has no room for it.
std::shared_ptr<const RandomAccess> decompressed(std::shared_ptr<const RandomAccess> file);

}  // namespace veneer::image
