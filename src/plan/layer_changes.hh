// How the layers of a plan compare with those of the image before, in words. Values. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/layout.hh"
#include "plan/plan_record.hh"

namespace veneer::plan {

enum class LayerState {
  kept,   // the image before has it, upon the same layers
  moved,  // the image before has it, upon others: hosts that reuse a prefix of layers fetch it again
  made,   // the image before has it not
};

/// "kept", "moved", "new"
std::string_view state_name(LayerState state);

struct LayerChange {
  LayerState state = LayerState::made;
  std::string why;  // "idna changed", "attrs was with others before"; of a kept one empty
};

/// Of the layers of distributions of `plan`, from the bottom up.
std::vector<LayerChange> layer_changes(const LayoutPlan& plan, const std::optional<PlanRecord>& previous);

/// What is known of the distribution `name` and why it lies where it does, in lines; nothing for one that the plan has
/// not.
std::optional<std::string> explain(const LayoutPlan& plan, const std::optional<PlanRecord>& previous,
                                   const std::string& name);

}  // namespace veneer::plan
