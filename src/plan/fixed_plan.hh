// A plan that was made before and is to be carried out as it stands. Values. Pure, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "foundation/value.hh"
#include "plan/component.hh"
#include "plan/layout.hh"
#include "plan/plan_record.hh"

namespace veneer::plan {

struct FixedPlan {
  struct Layer {
    std::vector<std::string> components;  // Component::id
    std::string key;                      // in hexadecimal digits
  };
  std::vector<Layer> layers;  // bottom to top, above the base
  PlanRecord record;
};

/// Reads what `veneer plan --json` prints (docs/formats.md, "veneer plan"). Throws Error (refused) for anything else.
FixedPlan read_fixed_plan(const Value& document);

/// The plan of exactly these layers. Throws Error (refused) that names the difference when `components` are not those
/// of the plan, one of the keys differs, `base` (RecordedTarget::base) is another one, or a winner of an overlap would
/// lie below the loser.
LayoutPlan carry_out(const FixedPlan& fixed, const std::vector<Component>& components,
                     const std::vector<Overlap>& overlaps, const std::string& base);

}  // namespace veneer::plan
