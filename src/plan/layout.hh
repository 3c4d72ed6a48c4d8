// Which component goes into which layer of an image, and in what order, with a view to the image before. Distributions
// are grouped by grouping.hh. Pure, thread-safe: no clock, disk, network or environment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "foundation/digest.hh"
#include "foundation/value.hh"
#include "plan/component.hh"
#include "plan/plan_record.hh"

namespace veneer::plan {

struct PlannedLayer {
  ComponentKind kind = ComponentKind::distribution;
  std::string title;                    // for people and the image history: "numpy 2.1.0", "attrs 25.3.0 and 6 more"
  std::vector<std::string> components;  // ids; where two hold one path, the later one wins
  LayerKey key;
  std::uint64_t size = 0;  // sum of the components' sizes
  bool is_kept = false;    // of distributions: the image before has this very layer
};

struct LayoutPlan {
  std::vector<PlannedLayer> layers;  // bottom to top, above the base
  PlanRecord record;                 // what the next plan will want to know of the distributions
  std::size_t wanted = 0;            // at most so many layers of distributions were asked for
  /// How many layers the distributions were held to, when the base leaves fewer than were asked for and there are more
  /// distributions than that.
  std::optional<std::size_t> held_to;
};

/// So many layers of distributions where nobody says how many: 60, or 100 for more than 200.
std::size_t usual_dependency_layers(std::size_t distributions);

struct LayoutOptions {
  std::size_t base_layers = 0;                   // layers that lie below and count
  std::size_t interpreter_layers = 0;            // on top of those: that of uv's interpreter
  std::optional<std::size_t> dependency_layers;  // at most so many of distributions; none: as is usual
};

/// Layers of distributions (group_distributions(), with those of `previous`) as many as the base leaves of those that
/// are wanted; above them the environment, prepared files as they are given, the application. Of two that overlap the
/// winner never lies below the loser. The same for any order of the distributions. Throws Error (refused) when base
/// and layers are too many (layer_budget.hh), or when two components have one id.
LayoutPlan layout(const std::vector<Component>& components, const std::vector<Overlap>& overlaps,
                  const std::optional<PlanRecord>& previous, const LayoutOptions& options);

/// The layer of these components, at least one, all of one kind, in this order.
PlannedLayer layer_of(const std::vector<const Component*>& components);

/// The key of a layer that holds several components in the given order; that of one component is its own.
LayerKey combined_key(const std::vector<LayerKey>& keys);

/// {"layers":[{"kind","title","key","size","components":[id...]}...]}, bottom to top.
Value to_value(const LayoutPlan& plan);

}  // namespace veneer::plan
