#include "plan/layout.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "foundation/error.hh"
#include "plan/layer_budget.hh"

namespace veneer::plan {

namespace {

using Pointers = std::vector<const Component*>;

constexpr std::array<std::string_view, 4> kind_names = {"distribution", "environment", "prepared", "application"};

bool larger_first(const Component* left, const Component* right) {
  return left->size != right->size ? left->size > right->size : left->name < right->name;
}
bool by_name(const Component* left, const Component* right) { return left->name < right->name; }

/// Puts each overlap's winner somewhere behind its loser, moving as little as possible; `order` is kept otherwise.
/// Overlaps cannot be circular: the winner is always the greater name.
void lift_winners(Pointers& order, const std::map<std::string, std::set<std::string>>& losers_of) {
  Pointers sorted;
  std::set<std::string> placed;
  std::set<std::string> present;
  for (const Component* component : order) present.insert(component->id);
  while (!order.empty()) {
    const auto ready = std::find_if(order.begin(), order.end(), [&](const Component* component) {
      const auto losers = losers_of.find(component->id);
      return losers == losers_of.end() ||
             std::all_of(losers->second.begin(), losers->second.end(),
                         [&](const std::string& loser) { return placed.contains(loser) || !present.contains(loser); });
    });
    if (ready == order.end()) throw Error(ErrorKind::failed, "the overlaps of the components are circular");
    placed.insert((*ready)->id);
    sorted.push_back(*ready);
    order.erase(ready);
  }
  order = std::move(sorted);
}

/// Moves distributions between single layers and the shared one until no winner lies below the layer of its loser: a
/// loser in the shared layer draws its winner there too.
void share_winners(Pointers& single, Pointers& shared, const std::map<std::string, std::set<std::string>>& losers_of) {
  for (bool moved = true; moved;) {
    moved = false;
    std::set<std::string> in_shared;
    for (const Component* component : shared) in_shared.insert(component->id);
    for (auto i = single.begin(); i != single.end() && !moved; ++i) {
      const auto losers = losers_of.find((*i)->id);
      if (losers == losers_of.end()) continue;
      moved = std::any_of(losers->second.begin(), losers->second.end(),
                          [&](const std::string& loser) { return in_shared.contains(loser); });
      if (moved) {
        shared.push_back(*i);
        single.erase(i);
        break;
      }
    }
  }
}

PlannedLayer make_layer(const Pointers& components, std::string title) {
  PlannedLayer layer;
  layer.kind = components.front()->kind;
  layer.title = std::move(title);
  std::vector<LayerKey> keys;
  for (const Component* component : components) {
    layer.components.push_back(component->id);
    layer.size += component->size;
    keys.push_back(component->key);
  }
  layer.key = combined_key(keys);
  return layer;
}

}  // namespace

LayerKey combined_key(const std::vector<LayerKey>& keys) {
  if (keys.size() == 1) return keys.front();
  Sha256 hash;
  hash.update("veneer combined layer 1\n");
  for (const LayerKey& key : keys) hash.update(key.hex() + "\n");
  return {hash.finish()};
}

LayoutPlan layout(const std::vector<Component>& components, const std::vector<Overlap>& overlaps,
                  const LayoutOptions& options) {
  std::map<std::string, std::set<std::string>> losers_of;
  for (const Overlap& overlap : overlaps) losers_of[overlap.above].insert(overlap.below);

  Pointers distributions;
  Pointers environments;
  Pointers prepared;
  Pointers applications;
  std::set<std::string> ids;
  for (const Component& component : components) {
    if (!ids.insert(component.id).second) {
      throw Error(ErrorKind::refused, fmt::format("{} is to be installed twice", printable(component.id)));
    }
    switch (component.kind) {
      case ComponentKind::distribution: distributions.push_back(&component); break;
      case ComponentKind::environment: environments.push_back(&component); break;
      case ComponentKind::prepared: prepared.push_back(&component); break;
      case ComponentKind::application: applications.push_back(&component); break;
    }
  }

  std::sort(distributions.begin(), distributions.end(), larger_first);
  Pointers single;
  Pointers shared;
  const std::size_t cap = share_layers({.base = options.base_layers,
                                        .interpreter = options.interpreter_layers,
                                        .own = environments.size() + prepared.size() + applications.size(),
                                        .distributions = distributions.size(),
                                        .dependency_layers = options.dependency_layers});
  const bool all_fit = distributions.size() <= cap;
  for (const Component* component : distributions) {
    const bool fits = single.size() < (all_fit ? cap : cap - 1);
    (fits && component->size >= options.small ? single : shared).push_back(component);
  }
  // With cap large distributions and a small one there is a layer too many: the smallest single one joins the rest.
  if (!shared.empty() && single.size() == cap) {
    shared.push_back(single.back());
    single.pop_back();
  }
  share_winners(single, shared, losers_of);
  std::sort(shared.begin(), shared.end(), by_name);
  lift_winners(single, losers_of);
  lift_winners(shared, losers_of);

  LayoutPlan plan;
  if (cap < options.dependency_layers && distributions.size() > cap) plan.held_to = cap;
  for (const Component* component : single) plan.layers.push_back(make_layer({component}, component->id));
  if (shared.size() == 1) {
    plan.layers.push_back(make_layer(shared, shared.front()->id));
  } else if (!shared.empty()) {
    plan.layers.push_back(make_layer(shared, fmt::format("{} small distributions", shared.size())));
  }
  for (const Component* component : environments) plan.layers.push_back(make_layer({component}, component->id));
  for (const Component* component : prepared) plan.layers.push_back(make_layer({component}, component->name));
  for (const Component* component : applications) plan.layers.push_back(make_layer({component}, component->id));
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
