// Checks a layer's bytes for what some engine would refuse or read in another way. For tests;
// it reads the raw headers, because a tolerant reader hides what it mends. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "foundation/stream.hh"

namespace veneer::tree {

/// Findings, each naming the entry, in the layer's order; empty for a layer that all engines read alike. They are
/// about: names and hard link targets that are absolute, begin with "./" or have ".." (kaniko#959); hard links to what
/// does not stand before them in this layer; whiteouts without a name (image-spec#1314), stored as anything but empty
/// files, or behind what they would hide (engines differ on order); opaque markers behind their new siblings; names
/// that occur twice; folders that are not listed before what lies in them; checksums. At most 100. `tar` is
/// uncompressed and read to its end. Throws what `tar` throws, nothing of its own.
std::vector<std::string> validate_layer(ByteSource& tar);

}  // namespace veneer::tree
