// A plan that `build --plan` is to carry out, from anyone: it is refused, or what comes out has each component once, in
// the very layers that were read.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "foundation/digest.hh"
#include "foundation/json.hh"
#include "plan/fixed_plan.hh"
#include "tests/fuzz/tolerate.hh"

namespace {

using namespace veneer::plan;

/// Components that the plan can be of: a layer of one has its very key.
std::vector<Component> components_of(const FixedPlan& fixed) {
  std::vector<Component> components;
  for (const FixedPlan::Layer& layer : fixed.layers) {
    for (const std::string& id : layer.components) {
      Component component{.id = id, .name = id.substr(0, id.find(' '))};
      if (id == "environment") component.kind = ComponentKind::environment;
      if (id.starts_with("application")) component.kind = ComponentKind::application;
      component.key = {veneer::Hash::from_hex(layer.key).value_or(veneer::Hash{})};
      components.push_back(std::move(component));
    }
  }
  return components;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  veneer::fuzz::tolerate([&] {
    const FixedPlan fixed = read_fixed_plan(veneer::parse_json(text));
    std::vector<Component> components = components_of(fixed);
    std::vector<Overlap> overlaps;
    if (components.size() > 1) overlaps.push_back({components.front().id, components.back().id, "a path"});
    if (size % 2 == 1 && !overlaps.empty()) std::swap(overlaps.front().below, overlaps.front().above);
    std::reverse(components.begin(), components.end());
    const LayoutPlan plan = carry_out(fixed, components, overlaps, fixed.record.target.base);
    if (plan.layers.size() != fixed.layers.size()) std::abort();
    for (std::size_t i = 0; i < plan.layers.size(); ++i) {
      if (plan.layers[i].components != fixed.layers[i].components) std::abort();
      if (plan.layers[i].key.hex() != fixed.layers[i].key) std::abort();
    }
    std::size_t members = 0;
    for (const PlannedLayer& layer : plan.layers) members += layer.components.size();
    if (members != components.size()) std::abort();
    // The one that must lie above lies below: that is refused.
    if (size % 2 == 1 && !overlaps.empty()) std::abort();
  });
  return 0;
}
