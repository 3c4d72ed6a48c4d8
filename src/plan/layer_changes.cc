#include "plan/layer_changes.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "foundation/units.hh"

namespace veneer::plan {

namespace {

using Members = std::vector<RecordedMember>;

constexpr std::size_t most_named = 3;

std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most_named); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > most_named) text += fmt::format(" and {} more", names.size() - most_named);
  return text;
}

/// Which of `members` are new, which changed, and which were in other company.
std::string why_made(const Members& members, const PlanRecord& previous) {
  std::set<RecordedMember> before;
  std::set<std::string_view> names;
  for (const Members& layer : previous.layers) {
    for (const RecordedMember& member : layer) {
      before.insert(member);
      names.insert(member.name);
    }
  }
  std::vector<std::string> changed;
  std::vector<std::string> added;
  for (const RecordedMember& member : members) {
    if (!before.contains(member)) (names.contains(member.name) ? changed : added).push_back(member.name);
  }
  std::string why;
  if (!changed.empty()) why = list_of(changed) + " changed";
  if (!added.empty())
    why += fmt::format("{}{} {} new", why.empty() ? "" : "; ", list_of(added), added.size() == 1 ? "is" : "are");
  if (why.empty()) why = "its members lay in other layers before";
  return why;
}

}  // namespace

std::string_view state_name(LayerState state) {
  switch (state) {
    case LayerState::kept: return "kept";
    case LayerState::moved: return "moved";
    case LayerState::made: break;
  }
  return "new";
}

std::vector<LayerChange> layer_changes(const LayoutPlan& plan, const std::optional<PlanRecord>& previous) {
  const std::vector<Members>& layers = plan.record.layers;
  std::vector<LayerChange> changes;
  std::string moved_by;
  if (previous && (previous->target.base != plan.record.target.base || previous->below != plan.record.below)) {
    moved_by = "the base changed";
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    LayerChange change;
    const bool is_there = previous && std::ranges::find(previous->layers, layers[i]) != previous->layers.end();
    if (is_there) {
      const bool is_in_place = i < previous->layers.size() && previous->layers[i] == layers[i];
      if (moved_by.empty() && !is_in_place) moved_by = "what lay below it went";
      change = {moved_by.empty() ? LayerState::kept : LayerState::moved, moved_by};
    } else {
      change.why = previous ? why_made(layers[i], *previous) : "there is no image before";
      if (moved_by.empty()) moved_by = fmt::format("layer {} below it is new", plan.record.below + i + 1);
    }
    changes.push_back(std::move(change));
  }
  return changes;
}

std::optional<std::string> explain(const LayoutPlan& plan, const std::optional<PlanRecord>& previous,
                                   const std::string& name) {
  const std::vector<LayerChange> changes = layer_changes(plan, previous);
  for (std::size_t i = 0; i < plan.record.layers.size(); ++i) {
    const Members& members = plan.record.layers[i];
    if (std::ranges::none_of(members, [&](const RecordedMember& member) { return member.name == name; })) continue;
    const PlannedLayer& layer = plan.layers[i];
    std::string text =
        fmt::format("{} lies in layer {}, of {}", name, plan.record.below + i + 1, human_size(layer.size));
    if (members.size() == 1) {
      text += ", alone\n";
    } else {
      text += ", with:\n";
      for (const std::string& id : layer.components) text += fmt::format("  {}\n", id);
    }
    text += fmt::format("the layer is {}", state_name(changes[i].state));
    text += changes[i].why.empty() ? "\n" : fmt::format(": {}\n", changes[i].why);
    const Learned& learned = plan.record.learned;
    const auto count = learned.changed.find(name);
    text += fmt::format("{} changed in {} of the {} sets seen since the first image\n", name,
                        count == learned.changed.end() ? 0 : count->second, learned.sets_seen);
    return text;
  }
  return std::nullopt;
}

}  // namespace veneer::plan
