// The pieces that an image is laid out from. Values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "foundation/digest.hh"

namespace veneer::plan {

enum class ComponentKind {
  distribution,  // one Python distribution: a wheel, or a wheel built from a source
  environment,   // the skeleton of the virtual environment
  prepared,      // files that a command makes when the image is built
  application,   // the project's own code and files
};

struct Component {
  std::string id;    // unique; "numpy 2.1.0" for a distribution
  std::string name;  // what components are ordered by: the normalised name of a distribution
  ComponentKind kind = ComponentKind::distribution;
  LayerKey key;            // decides its bytes
  std::uint64_t size = 0;  // compressed, in bytes, the same on every machine: what the lock says of the file
};

/// Two components that want the same path with different contents: `above` wins and must not lie below `below`.
struct Overlap {
  std::string below;  // Component::id
  std::string above;
  std::string path;              // one of the paths, for the report
  bool is_in_one_layer = false;  // order is not enough: their layers are made with a view to each other
  auto operator<=>(const Overlap&) const = default;
};

}  // namespace veneer::plan
