// How the layers that engines mount are shared out among the parts of an image. Pure, thread-safe.
#pragma once

#include <cstddef>

namespace veneer::plan {

/// What the parts of an image ask for, from the bottom up.
struct LayerDemand {
  std::size_t base = 0;                // has them already
  std::size_t interpreter = 0;         // 1 when an interpreter lies upon the base
  std::size_t own = 0;                 // one for each that shares with none: environment, prepared files, application
  std::size_t distributions = 0;       // how many there are; they share what is left
  std::size_t dependency_layers = 60;  // at most this many for them
};

/// How many layers the distributions may have: as many as asked for, fewer where the base leaves no more, 0 when there
/// are none. Throws Error (refused) when the base has too many layers by itself, or leaves too few for one layer of
/// each part.
std::size_t share_layers(const LayerDemand& demand);

}  // namespace veneer::plan
