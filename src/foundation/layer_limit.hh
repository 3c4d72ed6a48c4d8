// How many layers an image may have. The one place that says so. A constant.
#pragma once

#include <cstddef>

namespace veneer {

/// What every engine mounts: Docker with overlay2 starts no more (measured; docs/receivers.md), others start more.
inline constexpr std::size_t mountable_layers = 125;

}  // namespace veneer
