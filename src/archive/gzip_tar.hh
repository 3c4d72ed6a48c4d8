// A tar that is there already, as a gzip file whose bytes depend on the tar alone. Called where layers of others are
// stored anew. Thread-safe for different sinks.
#pragma once

#include "archive/layer_writer.hh"
#include "foundation/stream.hh"

namespace veneer::archive {

/// Reads `tar` to its end; `blob` receives the gzip file and is not committed. One gzip member for every 4 MiB of the
/// tar (docs/formats.md, "Layers of a base"); members are compressed at once on all processors.
WrittenLayer gzip_tar(ByteSource& tar, ByteSink& blob);

}  // namespace veneer::archive
