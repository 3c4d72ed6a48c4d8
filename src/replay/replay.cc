#include "replay/replay.hh"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

#include "plan/application_split.hh"
#include "plan/grouping.hh"

namespace veneer::replay {

namespace {

/// What a base image of this kind has besides: Debian, Python and system packages.
constexpr std::uint64_t base_bytes = 250'000'000;

std::vector<plan::Component> components_of(const History& history, const std::vector<std::size_t>& set) {
  std::vector<plan::Component> components;
  for (const std::size_t place : set) {
    const Wheel& wheel = history.wheels[place];
    components.push_back({.id = wheel.name + " " + wheel.hash,
                          .name = wheel.name,
                          .key = {sha256(wheel.name + "\n" + wheel.hash)},
                          .size = wheel.bytes});
  }
  return components;
}

std::uint64_t bytes_of(const History& history, const std::vector<std::size_t>& set) {
  std::uint64_t bytes = 0;
  for (const std::size_t place : set) bytes += history.wheels[place].bytes;
  return bytes;
}

/// Bytes of the wheels that the set before lacks.
std::uint64_t new_bytes(const History& history, const std::vector<std::size_t>& before,
                        const std::vector<std::size_t>& now) {
  std::set<std::string_view> known;
  for (const std::size_t place : before) known.insert(history.wheels[place].hash);
  std::uint64_t bytes = 0;
  for (const std::size_t place : now) {
    if (!known.contains(history.wheels[place].hash)) bytes += history.wheels[place].bytes;
  }
  return bytes;
}

/// The layers of one deploy after another.
class Layers {
 public:
  Layers(const History& history, std::size_t cap) : history_(history), cap_(cap) {}

  struct Travelling {
    std::uint64_t blobs = 0;
    std::uint64_t prefix = 0;
  };
  Travelling follow(const std::vector<std::size_t>& set) {
    const std::vector<plan::Component> components = components_of(history_, set);
    const std::vector<plan::LayerGroup> layers = plan::group_distributions(components, {}, record_, cap_);
    plan::PlanRecord record = plan::record_of(layers, components, record_);
    Travelling travelling;
    bool is_prefix = true;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      std::uint64_t bytes = 0;
      for (const std::size_t member : layers[i].members) bytes += components[member].size;
      if (!layers[i].is_kept) travelling.blobs += bytes;
      is_prefix = is_prefix && record_ && i < record_->layers.size() && record_->layers[i] == record.layers[i];
      if (!is_prefix) travelling.prefix += bytes;
    }
    record_ = std::move(record);
    return travelling;
  }

 private:
  const History& history_;
  std::size_t cap_;
  std::optional<plan::PlanRecord> record_;
};

/// The application's layers of one deploy after another.
class ApplicationLayers {
 public:
  explicit ApplicationLayers(const History& history) : history_(history) {}

  void follow(std::size_t application, bool is_on_the_same, LayoutBytes& brought) {
    const std::vector<std::size_t>& files = history_.applications[application];
    std::vector<plan::SplitFile> sizes;
    for (const std::size_t file : files) sizes.push_back({history_.files[file].path, history_.files[file].bytes});
    plan::ApplicationSplit split =
        plan::split_application(sizes, plan::OwnWheels::none, split_, plan::most_application_layers);
    std::vector<std::vector<std::size_t>> layers(split.size());
    for (const std::size_t file : files) layers[plan::part_of(split, history_.files[file].path)].push_back(file);
    bool is_prefix = is_on_the_same;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const std::uint64_t bytes = bytes_of(layers[i]);
      is_prefix = is_prefix && i < layers_.size() && layers_[i] == layers[i];
      if (!is_prefix) brought.application_prefix += bytes;
      if (std::find(layers_.begin(), layers_.end(), layers[i]) == layers_.end()) brought.application_blobs += bytes;
    }
    if (files != files_) brought.application_one_layer = bytes_of(files);
    std::vector<std::size_t> changed;
    std::set_difference(files.begin(), files.end(), files_.begin(), files_.end(), std::back_inserter(changed));
    brought.application_changed = bytes_of(changed);
    files_ = files;
    split_ = std::move(split);
    layers_ = std::move(layers);
  }

 private:
  std::uint64_t bytes_of(const std::vector<std::size_t>& files) const {
    std::uint64_t bytes = 0;
    for (const std::size_t file : files) bytes += history_.files[file].bytes;
    return bytes;
  }

  const History& history_;
  std::vector<std::size_t> files_;
  plan::ApplicationSplit split_;
  std::vector<std::vector<std::size_t>> layers_;
};

}  // namespace

LayoutBytes& LayoutBytes::operator+=(const LayoutBytes& more) {
  one_layer_always += more.one_layer_always;
  seed_base_image += more.seed_base_image;
  deps_layer_by_set += more.deps_layer_by_set;
  deps_layer_by_lock_bytes += more.deps_layer_by_lock_bytes;
  layer_per_wheel += more.layer_per_wheel;
  veneer_blobs += more.veneer_blobs;
  veneer_prefix += more.veneer_prefix;
  application_one_layer += more.application_one_layer;
  application_prefix += more.application_prefix;
  application_blobs += more.application_blobs;
  application_changed += more.application_changed;
  return *this;
}

Costs replay(const History& history, std::size_t cap) {
  Costs costs{.project = history.project};
  costs.wheels = history.wheels.size();
  costs.estimated = history.estimated;
  costs.has_application =
      std::ranges::any_of(history.deploys, [](const Deploy& each) { return each.application.has_value(); });
  Layers layers(history, cap);
  ApplicationLayers application(history);
  const Deploy* before = nullptr;
  for (const Deploy& deploy : history.deploys) {
    if (!deploy.set) continue;
    LayoutBytes& brought = costs.brought.emplace_back();
    const std::vector<std::size_t>& set = history.sets[*deploy.set];
    if (before == nullptr) {
      layers.follow(set);
    } else {
      const std::uint64_t all = bytes_of(history, set);
      const bool is_other_text = before->lock != deploy.lock || before->pyproject != deploy.pyproject;
      brought.one_layer_always = all;
      if (is_other_text || before->dockerfile != deploy.dockerfile) brought.seed_base_image = base_bytes + all;
      if (is_other_text) brought.deps_layer_by_lock_bytes = all;
      if (before->set != deploy.set) {
        ++costs.set_changes;
        brought.deps_layer_by_set = all;
        brought.layer_per_wheel = new_bytes(history, history.sets[*before->set], set);
        const Layers::Travelling travelling = layers.follow(set);
        brought.veneer_blobs = travelling.blobs;
        brought.veneer_prefix = travelling.prefix;
      }
    }
    if (deploy.application) {
      LayoutBytes own;
      const bool is_on_the_same = before != nullptr && before->set == deploy.set;
      if (!is_on_the_same || before->application != deploy.application) {
        application.follow(*deploy.application, is_on_the_same, own);
      }
      if (before != nullptr) brought += own;
    }
    costs.total += brought;
    before = &deploy;
  }
  return costs;
}

Value to_value(const Costs& costs) {
  Value layouts;
  layouts.set("one_layer_always", costs.total.one_layer_always);
  layouts.set("seed_base_image", costs.total.seed_base_image);
  layouts.set("deps_layer_by_set", costs.total.deps_layer_by_set);
  layouts.set("deps_layer_by_lock_bytes", costs.total.deps_layer_by_lock_bytes);
  layouts.set("layer_per_wheel", costs.total.layer_per_wheel);
  Value veneer;
  veneer.set("blobs", costs.total.veneer_blobs);
  veneer.set("prefix", costs.total.veneer_prefix);
  Value value;
  value.set("name", costs.project);
  value.set("deploys", std::uint64_t{costs.deploys()});
  value.set("set_changes", std::uint64_t{costs.set_changes});
  value.set("bound", costs.total.layer_per_wheel);
  value.set("layouts", std::move(layouts));
  value.set("veneer", std::move(veneer));
  value.set("wheels", std::uint64_t{costs.wheels});
  value.set("estimated", std::uint64_t{costs.estimated});
  if (costs.has_application) {
    Value application;
    application.set("one_layer", costs.total.application_one_layer);
    application.set("prefix", costs.total.application_prefix);
    application.set("blobs", costs.total.application_blobs);
    application.set("changed", costs.total.application_changed);
    value.set("application", std::move(application));
  }
  return value;
}

}  // namespace veneer::replay
