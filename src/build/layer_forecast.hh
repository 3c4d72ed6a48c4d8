// How large a layer will be that is not made yet. Called where a plan is made. Thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "tree/file_tree.hh"

namespace veneer::build {

/// Bytes that `tree` takes in a layer's blob, without the folders above and including `site_packages` (which all
/// distributions of a layer share) and the end of the layer. Data that is deflated already is counted and not read, all
/// else is compressed.
std::uint64_t forecast_size(const tree::FileTree& tree, const std::string& site_packages);

/// What a layer has once, whatever is in it: its end, and the folders down to `site_packages`.
std::uint64_t forecast_frame(const std::string& site_packages);

}  // namespace veneer::build
