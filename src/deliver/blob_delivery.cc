#include "deliver/blob_delivery.hh"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace veneer::deliver {

namespace {

// A session is opened, and what is sent ends it: of several blobs at once.
constexpr int trips_of_uploads = 2;

Step step_of(const image::Layer& layer, const Inventory& inventory) {
  Step step;
  step.diff_id = layer.diff_id;
  step.blob = layer.blob;
  step.encoding = layer.encoding;
  step.size = layer.size;
  if (auto why = why_there(inventory, layer.blob)) {
    step.action = Action::keep;
    step.why = std::move(*why);
  } else if (const auto source = inventory.mountable.find(layer.blob); source != inventory.mountable.end()) {
    step.action = Action::mount;
    step.repository = source->second;
    step.why = fmt::format("the registry has it in {}", source->second);
  } else {
    step.why = "the repository does not have it";
  }
  return step;
}

std::string summary_of_blobs(const std::vector<Step>& steps) {
  const auto kept = std::ranges::count(steps, Action::keep, &Step::action);
  const auto mounted = std::ranges::count(steps, Action::mount, &Step::action);
  if (kept + mounted == 0) return "the registry has none of its layers";
  std::string text = fmt::format("the repository has {} of its {} layers", kept, steps.size());
  if (mounted > 0) text += fmt::format(" and takes {} from another one of the registry", mounted);
  return text;
}

}  // namespace

std::optional<std::string> why_there(const Inventory& inventory, const BlobDigest& blob) {
  for (const KnownImage& known : inventory.images) {
    if (known.found_blobs.contains(blob)) return fmt::format("{} has it", display_name(known));
  }
  if (inventory.blobs.contains(blob)) return "the repository has it";
  return std::nullopt;
}

DeliveryPlan deliver_blobs(const image::SealedImage& sealed, const Inventory& inventory, Line line,
                           const DeliveryOptions& options) {
  DeliveryPlan plan;
  plan.kind = inventory.kind;
  const KnownImage* same = find_same_image(inventory, sealed);
  const auto has_name = [&](const image::Reference& name) {
    return same != nullptr && std::ranges::find(same->names, name.full()) != same->names.end();
  };
  const auto tags = static_cast<std::uint64_t>(options.names.size() - std::ranges::count_if(options.names, has_name));
  std::set<BlobDigest> counted;
  for (const image::Layer& layer : sealed.image.layers) {
    Step step = step_of(layer, inventory);
    if (step.action == Action::send && counted.insert(step.blob).second) step.bytes = step.size;
    plan.bytes += step.bytes;
    plan.steps.push_back(std::move(step));
  }
  if (!why_there(inventory, BlobDigest{sealed.config_digest.hash})) plan.bytes += sealed.config.size();
  if (plan.bytes > 0) plan.round_trips += trips_of_uploads;
  plan.disk_peak = plan.disk_after = plan.bytes;
  plan.bytes += tags * sealed.manifest.size();
  plan.round_trips += static_cast<int>(tags);
  plan.work = tags == 0 ? Work::nothing_to_load : Work::load;
  plan.why = same != nullptr ? fmt::format("the repository has this very image, as {}", display_name(*same))
                             : summary_of_blobs(plan.steps);
  plan.line_seconds = line.round_trip_seconds * plan.round_trips;
  if (line.bytes_per_second > 0) plan.line_seconds += static_cast<double>(plan.bytes) / line.bytes_per_second;
  return plan;
}

}  // namespace veneer::deliver
