// Which component goes into which layer, and in what order. Pure, thread-safe: no clock, disk, network or environment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "foundation/digest.hh"
#include "foundation/value.hh"
#include "plan/component.hh"

namespace veneer::plan {

struct PlannedLayer {
  ComponentKind kind = ComponentKind::distribution;
  std::string title;                    // for people and the image history: "numpy 2.1.0", "87 small distributions"
  std::vector<std::string> components;  // ids; where two hold one path, the later one wins
  LayerKey key;
  std::uint64_t size = 0;  // sum of the components' sizes
};

struct LayoutPlan {
  std::vector<PlannedLayer> layers;  // bottom to top, above the base
  /// How many layers the distributions were held to, when the base leaves fewer than were asked for and there are more
  /// distributions than that.
  std::optional<std::size_t> held_to;
};

struct LayoutOptions {
  std::size_t base_layers = 0;         // layers that lie below and count
  std::size_t interpreter_layers = 0;  // on top of those: that of uv's interpreter
  std::size_t dependency_layers = 60;  // at most this many layers of distributions, fewer where the base leaves fewer
  std::uint64_t small = 64 * 1024;     // a distribution below this many bytes shares the layer of the small ones
};

/// Distributions largest first, each in a layer of its own, as far as the cap goes; the small rest in one layer above
/// them, in order of names; then the environment, prepared files as they are given, the application. Equal sizes are
/// ordered by name. An overlap lifts its winner above the loser. Throws Error (refused) when base and layers are too
/// many (layer_budget.hh), or when two components have one id.
LayoutPlan layout(const std::vector<Component>& components, const std::vector<Overlap>& overlaps,
                  const LayoutOptions& options);

/// The key of a layer that holds several components in the given order; that of one component is its own.
LayerKey combined_key(const std::vector<LayerKey>& keys);

/// {"layers":[{"kind","title","key","size","components":[id...]}...]}, bottom to top.
Value to_value(const LayoutPlan& plan);

}  // namespace veneer::plan
