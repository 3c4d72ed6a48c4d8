#include "plan/fixed_plan.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "foundation/error.hh"
#include "foundation/json.hh"

namespace veneer::plan {

namespace {

constexpr std::size_t most_layers = 1'000;
constexpr std::size_t most_components = 10'000;

[[noreturn]] void refuse_plan(const std::string& why) {
  throw Error(ErrorKind::refused, "the plan cannot be carried out: " + why, "make a new one: veneer plan --json");
}

}  // namespace

FixedPlan read_fixed_plan(const Value& document) {
  FixedPlan fixed;
  std::size_t components = 0;
  for (const Value& layer : document.at("layers").array()) {
    auto& read = fixed.layers.emplace_back();
    read.key = layer.at("key").string();
    for (const Value& id : layer.at("components").array()) read.components.push_back(id.string());
    components += read.components.size();
    if (read.components.empty()) refuse_plan("it has a layer of nothing");
    if (fixed.layers.size() > most_layers || components > most_components) refuse_plan("it is too long");
  }
  fixed.record = read_plan_record(to_json(document.at("record")));
  return fixed;
}

LayoutPlan carry_out(const FixedPlan& fixed, const std::vector<Component>& components,
                     const std::vector<Overlap>& overlaps, const std::string& base) {
  if (fixed.record.target.base != base) {
    refuse_plan(fmt::format("it is for the base {}, and this one is {}", printable(fixed.record.target.base), base));
  }
  std::map<std::string_view, const Component*> by_id;
  for (const Component& component : components) by_id.emplace(component.id, &component);
  std::map<std::string_view, std::pair<std::size_t, std::size_t>> position;  // layer, and place among all components
  LayoutPlan plan;
  plan.record.learned = fixed.record.learned;
  plan.wanted = fixed.layers.size();
  for (const FixedPlan::Layer& layer : fixed.layers) {
    std::vector<const Component*> members;
    for (const std::string& id : layer.components) {
      const auto found = by_id.find(id);
      if (found == by_id.end()) refuse_plan(fmt::format("it has {}, and the project has not", printable(id)));
      if (!position.emplace(found->first, std::pair(plan.layers.size(), position.size())).second)
        refuse_plan(fmt::format("it has {} twice", printable(id)));
      members.push_back(found->second);
      if (found->second->kind != members.front()->kind) refuse_plan(fmt::format("{} lies among others", printable(id)));
    }
    plan.layers.push_back(layer_of(members));
    if (plan.layers.back().key.hex() != layer.key) {
      refuse_plan(fmt::format("{} is not what it was when the plan was made", printable(plan.layers.back().title)));
    }
    if (members.front()->kind != ComponentKind::distribution) continue;
    if (plan.record.layers.size() + 1 != plan.layers.size()) refuse_plan("a distribution lies above what stands on it");
    auto& recorded_layer = plan.record.layers.emplace_back();
    for (const Component* member : members) recorded_layer.push_back(recorded(*member));
  }
  for (const Component& component : components) {
    if (!position.contains(component.id)) refuse_plan(fmt::format("the project has {}, and it has not", component.id));
  }
  for (const Overlap& overlap : overlaps) {
    if (position.at(overlap.above) < position.at(overlap.below)) {
      refuse_plan(fmt::format("{} must lie above {}, for {}", overlap.above, overlap.below, printable(overlap.path)));
    }
    if (overlap.is_in_one_layer && position.at(overlap.above).first != position.at(overlap.below).first) {
      refuse_plan(
          fmt::format("{} and {} must share a layer, for {}", overlap.above, overlap.below, printable(overlap.path)));
    }
  }
  return plan;
}

}  // namespace veneer::plan
