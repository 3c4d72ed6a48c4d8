// Which distributions share a layer and in what order the layers lie, so that later changes cost little. It sees the
// layers of the image before, and no later change. Integers only. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "plan/component.hh"
#include "plan/plan_record.hh"

namespace veneer::plan {

struct LayerGroup {
  std::vector<std::size_t> members;  // places in the list of distributions, in order of names
  bool is_kept = false;              // the image before has this very layer
};

/// At most `cap` layers, bottom to top, that hold each of `distributions` once; none when there are none. The same for
/// any order of the distributions. Of two that overlap the winner lies in a layer above the loser's, or behind it in
/// the same one. They share a layer where the overlap wants that, and where no order of layers would do: of four in two
/// layers, each of which has a winner over the other.
///
/// Grouping: a layer whose members are all as they were stays. The others' members travel anyway; they lie alone, the
/// largest first, and neighbours are merged, each time those that raise the expected bytes least, until the cap is
/// kept. The smallest layers that could stay are drawn into that as long as the bytes now and the expected bytes of the
/// next two changes together fall. The expected bytes of a layer are its bytes times the chance that one of its members
/// changes, with 3 % for each. Without a layer before, 15 % of the layers are left free for what comes.
///
/// Order: layers below the lowest change lie as they lay, unless an overlap is new. Above it, the bytes divided by the
/// learned rate of change decide, the greatest lowest: hosts that reuse a common prefix of layers fetch all above the
/// lowest change.
///
/// Throws Error (refused) for a cap of 0 when there are distributions.
std::vector<LayerGroup> group_distributions(const std::vector<Component>& distributions,
                                            const std::vector<Overlap>& overlaps,
                                            const std::optional<PlanRecord>& previous, std::size_t cap);

/// What the next plan will have to know.
PlanRecord record_of(const std::vector<LayerGroup>& layers, const std::vector<Component>& distributions,
                     const std::optional<PlanRecord>& previous);

}  // namespace veneer::plan
