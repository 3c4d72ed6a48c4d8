#include "plan/layout.hh"

#include <fmt/format.h>

#include <array>
#include <set>

#include "foundation/error.hh"
#include "plan/grouping.hh"
#include "plan/layer_budget.hh"

namespace veneer::plan {

namespace {

using Pointers = std::vector<const Component*>;

constexpr std::array<std::string_view, 4> kind_names = {"distribution", "environment", "prepared", "application"};
constexpr std::size_t most_named_apart = 3;

/// "attrs 25.3.0", "attrs 25.3.0, idna 3.10", "attrs 25.3.0 and 6 more"
std::string title_of(const Pointers& distributions) {
  if (distributions.size() > most_named_apart) {
    return fmt::format("{} and {} more", distributions.front()->id, distributions.size() - 1);
  }
  std::string title;
  for (const Component* distribution : distributions) title += (title.empty() ? "" : ", ") + distribution->id;
  return title;
}

}  // namespace

LayerKey combined_key(const std::vector<LayerKey>& keys) {
  if (keys.size() == 1) return keys.front();
  Sha256 hash;
  hash.update("veneer combined layer 1\n");
  for (const LayerKey& key : keys) hash.update(key.hex() + "\n");
  return {hash.finish()};
}

PlannedLayer layer_of(const std::vector<const Component*>& components) {
  PlannedLayer layer;
  layer.kind = components.front()->kind;
  switch (layer.kind) {
    case ComponentKind::distribution: layer.title = title_of(components); break;
    case ComponentKind::prepared: layer.title = components.front()->name; break;
    default: layer.title = components.front()->id;
  }
  std::vector<LayerKey> keys;
  for (const Component* component : components) {
    layer.components.push_back(component->id);
    layer.size += component->size;
    keys.push_back(component->key);
  }
  layer.key = combined_key(keys);
  return layer;
}

std::size_t usual_dependency_layers(std::size_t distributions) { return distributions > 200 ? 100 : 60; }

LayoutPlan layout(const std::vector<Component>& components, const std::vector<Overlap>& overlaps,
                  const std::optional<PlanRecord>& previous, const LayoutOptions& options) {
  std::vector<Component> distributions;
  Pointers environments;
  Pointers prepared;
  Pointers applications;
  std::set<std::string> ids;
  for (const Component& component : components) {
    if (!ids.insert(component.id).second) {
      throw Error(ErrorKind::refused, fmt::format("{} is to be installed twice", printable(component.id)));
    }
    switch (component.kind) {
      case ComponentKind::distribution: distributions.push_back(component); break;
      case ComponentKind::environment: environments.push_back(&component); break;
      case ComponentKind::prepared: prepared.push_back(&component); break;
      case ComponentKind::application: applications.push_back(&component); break;
    }
  }

  LayoutPlan plan;
  plan.wanted = options.dependency_layers.value_or(usual_dependency_layers(distributions.size()));
  const std::size_t cap = share_layers({.base = options.base_layers,
                                        .interpreter = options.interpreter_layers,
                                        .own = environments.size() + prepared.size() + applications.size(),
                                        .distributions = distributions.size(),
                                        .dependency_layers = plan.wanted});
  if (cap < plan.wanted && distributions.size() > cap) plan.held_to = cap;
  const std::vector<LayerGroup> groups = group_distributions(distributions, overlaps, previous, cap);
  plan.record = record_of(groups, distributions, previous);
  for (const LayerGroup& group : groups) {
    Pointers members;
    for (const std::size_t member : group.members) members.push_back(&distributions[member]);
    plan.layers.push_back(layer_of(members));
    plan.layers.back().is_kept = group.is_kept;
  }
  for (const Pointers* others : {&environments, &prepared, &applications}) {
    for (const Component* component : *others) plan.layers.push_back(layer_of({component}));
  }
  return plan;
}

Value to_value(const LayoutPlan& plan) {
  Value::Array layers;
  for (const PlannedLayer& layer : plan.layers) {
    Value::Array ids;
    for (const std::string& id : layer.components) ids.emplace_back(id);
    Value value;
    value.set("kind", kind_names.at(static_cast<std::size_t>(layer.kind)));
    value.set("title", layer.title);
    value.set("key", layer.key.hex());
    value.set("size", layer.size);
    value.set("components", std::move(ids));
    layers.push_back(std::move(value));
  }
  Value result;
  result.set("layers", std::move(layers));
  return result;
}

}  // namespace veneer::plan
