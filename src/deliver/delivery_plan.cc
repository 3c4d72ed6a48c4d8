#include "deliver/delivery_plan.hh"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "foundation/error.hh"
#include "image/manifest.hh"
#include "image/media/archive_writer.hh"
#include "image/platform.hh"

namespace veneer::deliver {

namespace {

// Measured on several engines with two processors (docs/receivers.md). They are for estimates only.
constexpr double seconds_a_load = 0.1;
constexpr double seconds_a_kept_layer = 0.003;
constexpr double seconds_a_sent_layer = 0.04;
constexpr double unpacked_bytes_a_second = 100e6;
constexpr std::uint64_t assumed_unpacking_factor = 3;

constexpr int round_trips_to_verify = 4;  // inspect, list, create, remove
constexpr int round_trips_to_load = 1;
constexpr int round_trips_a_name = 1;

constexpr std::uint64_t tar_block = 512;

// What the whole images on the host have, asked in the three ways in which engines look.
class Holdings {
 public:
  explicit Holdings(const Inventory& inventory) {
    for (const KnownImage& known : inventory.images) {
      if (known.completeness != Completeness::whole) continue;
      whole_.push_back(&known);
      for (const DiffId& diff_id : known.diff_ids) by_diff_id_.emplace(diff_id, &known);
      if (!known.blobs || known.blobs->size() != known.diff_ids.size()) continue;
      for (const image::LabelledLayer& layer : *known.blobs) by_blob_.emplace(layer.blob, &known);
    }
  }

  struct Prefix {
    std::size_t length = 0;
    const KnownImage* image = nullptr;
  };
  /// The longest run of equal layers from the bottom up.
  Prefix longest_prefix(const std::vector<image::Layer>& layers) const {
    Prefix best;
    for (const KnownImage* known : whole_) {
      std::size_t length = 0;
      while (length < layers.size() && length < known->diff_ids.size() &&
             known->diff_ids[length] == layers[length].diff_id) {
        ++length;
      }
      if (length > best.length) best = {length, known};
    }
    return best;
  }
  const KnownImage* with_blob(const BlobDigest& blob) const { return find(by_blob_, blob); }
  const KnownImage* with_diff_id(const DiffId& diff_id) const { return find(by_diff_id_, diff_id); }

 private:
  template <typename Key>
  static const KnownImage* find(const std::map<Key, const KnownImage*>& holdings, const Key& key) {
    const auto found = holdings.find(key);
    return found == holdings.end() ? nullptr : found->second;
  }

  std::vector<const KnownImage*> whole_;
  std::map<DiffId, const KnownImage*> by_diff_id_;
  std::map<BlobDigest, const KnownImage*> by_blob_;
};

void refuse_what_cannot_run(const image::SealedImage& sealed, const Inventory& inventory) {
  const image::Platform& wanted = sealed.image.config.platform;
  if (!image::matches(wanted, inventory.machine)) {
    throw Error(ErrorKind::refused,
                fmt::format("the image is for {}, the host is {}", printable(image::platform_text(wanted), 80),
                            printable(image::platform_text(inventory.machine), 80)),
                "build the image on a base for the host's machine");
  }
  if (sealed.image.layers.size() > inventory.limits.layers) {
    throw Error(ErrorKind::refused,
                fmt::format("the image has {} layers, {} on the host starts at most {}", sealed.image.layers.size(),
                            printable(inventory.engine.name, 40), inventory.limits.layers),
                "build it with a lower cap on dependency layers");
  }
}

Step as_stored(const image::Layer& layer, Action action, std::string why) {
  return {action, layer.diff_id, layer.blob, layer.encoding, layer.size, 0, std::move(why)};
}

std::vector<Step> steps_on_prefix(const std::vector<image::Layer>& layers, const Holdings& holdings) {
  const Holdings::Prefix prefix = holdings.longest_prefix(layers);
  std::vector<Step> steps;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (i < prefix.length) {
      steps.push_back(
          as_stored(layers[i], Action::keep,
                    fmt::format("the host has it and all layers below it, in {}", display_name(*prefix.image))));
    } else if (const KnownImage* known = holdings.with_diff_id(layers[i].diff_id)) {
      steps.push_back(as_stored(
          layers[i], Action::send,
          fmt::format("the host has it in {}, but on other layers, where it cannot be reused", display_name(*known))));
    } else {
      steps.push_back(as_stored(layers[i], Action::send, "the host does not have it"));
    }
  }
  return steps;
}

std::vector<Step> steps_on_blobs(const std::vector<image::Layer>& layers, const Holdings& holdings) {
  std::vector<Step> steps;
  for (const image::Layer& layer : layers) {
    if (const KnownImage* holder = holdings.with_blob(layer.blob)) {
      steps.push_back(
          as_stored(layer, Action::keep, fmt::format("the host has this very blob, in {}", display_name(*holder))));
    } else if (const KnownImage* alike = holdings.with_diff_id(layer.diff_id)) {
      steps.push_back(as_stored(layer, Action::send,
                                fmt::format("the host has the same content in {}, but is not known to have this blob",
                                            display_name(*alike))));
    } else {
      steps.push_back(as_stored(layer, Action::send, "the host does not have it"));
    }
  }
  return steps;
}

std::vector<Step> steps_on_diff_ids(const std::vector<image::Layer>& layers, const Holdings& holdings,
                                    const std::map<DiffId, std::uint64_t>& tar_sizes) {
  std::vector<Step> steps;
  for (const image::Layer& layer : layers) {
    const KnownImage* known = holdings.with_diff_id(layer.diff_id);
    if (known == nullptr) {
      steps.push_back(as_stored(layer, Action::send, "the host does not have it"));
      continue;
    }
    // Named by its diff ID: by any other digest the engine finds it only if it has met that digest before.
    Step step =
        as_stored(layer, Action::keep, fmt::format("the host has the same content, in {}", display_name(*known)));
    step.blob = BlobDigest{layer.diff_id.hash};
    step.encoding = image::Encoding::tar;
    const auto size = tar_sizes.find(layer.diff_id);
    step.size = size != tar_sizes.end() ? size->second : layer.encoding == image::Encoding::tar ? layer.size : 0;
    steps.push_back(std::move(step));
  }
  return steps;
}

// What a file of `size` bytes takes in a tar archive: its header and its data, both in whole blocks.
std::uint64_t tar_entry_size(std::uint64_t size) { return tar_block + (size + tar_block - 1) / tar_block * tar_block; }

std::uint64_t unpacked_size(const Step& step, const std::map<DiffId, std::uint64_t>& tar_sizes) {
  if (const auto known = tar_sizes.find(step.diff_id); known != tar_sizes.end()) return known->second;
  return step.encoding == image::Encoding::tar ? step.size : step.size * assumed_unpacking_factor;
}

// Fills in all numbers of a plan whose steps are decided.
void account(DeliveryPlan& plan, const image::SealedImage& sealed, const Inventory& inventory, Line line,
             const DeliveryOptions& options) {
  std::set<BlobDigest> counted;
  std::uint64_t sent = 0;
  std::uint64_t unpacked = 0;
  std::size_t layers_sent = 0;
  for (Step& step : plan.steps) {
    if (step.action != Action::send) continue;
    ++layers_sent;
    unpacked += unpacked_size(step, options.tar_sizes);
    if (!counted.insert(step.blob).second) continue;  // one copy in the archive serves all layers with these bytes
    step.bytes = tar_entry_size(step.size);
    sent += step.size;
  }

  plan.bytes = image::archive_size(image_as_sent(sealed, plan), options.names, counted);

  switch (plan.kind) {
    case ReceiverKind::prefix:  // the archive is unpacked into a temporary folder first
      plan.disk_peak = sent + unpacked;
      plan.disk_after = unpacked;
      break;
    case ReceiverKind::blobs:  // the blob stays beside the unpacked layer
      plan.disk_peak = sent + unpacked;
      plan.disk_after = sent + unpacked;
      break;
    case ReceiverKind::diff_ids:
      plan.disk_peak = sent + unpacked;
      plan.disk_after = unpacked;
      break;
  }
  plan.host_seconds = seconds_a_load + seconds_a_kept_layer * static_cast<double>(plan.steps.size() - layers_sent) +
                      seconds_a_sent_layer * static_cast<double>(layers_sent) +
                      static_cast<double>(unpacked) / unpacked_bytes_a_second;
  plan.round_trips = round_trips_to_load + round_trips_to_verify + round_trips_a_name;
  plan.line_seconds = line.round_trip_seconds * plan.round_trips;
  if (line.bytes_per_second > 0) plan.line_seconds += static_cast<double>(plan.bytes) / line.bytes_per_second;
  if (inventory.free_disk && *inventory.free_disk < plan.disk_peak) {
    plan.notes.push_back(
        fmt::format("the host has {} bytes of free disk, the load may need {}", *inventory.free_disk, plan.disk_peak));
  }
}

void note_what_is_not_known(DeliveryPlan& plan, const Inventory& inventory) {
  if (inventory.images_not_asked > 0) {
    plan.notes.push_back(
        fmt::format("the layers of {} images on the host were not asked for", inventory.images_not_asked));
  }
}

DeliveryPlan plan_for_present_image(const image::SealedImage& sealed, const Inventory& inventory, Line line,
                                    const KnownImage& same) {
  DeliveryPlan plan;
  plan.kind = inventory.kind;
  plan.work = Work::nothing_to_load;
  plan.why = fmt::format("the host has this very image, as {}", display_name(same));
  for (const image::Layer& layer : sealed.image.layers) {
    plan.steps.push_back(as_stored(layer, Action::keep, "it is part of the same image on the host"));
  }
  plan.round_trips = round_trips_to_verify + 2 * round_trips_a_name;
  plan.line_seconds = line.round_trip_seconds * plan.round_trips;
  return plan;
}

}  // namespace

std::string_view action_name(Action action) {
  switch (action) {
    case Action::keep: return "keep";
    case Action::send: return "send";
    case Action::splice: return "splice";
  }
  return "";
}

DeliveryPlan deliver(const image::SealedImage& sealed, const Inventory& inventory, Line line,
                     const DeliveryOptions& options) {
  refuse_what_cannot_run(sealed, inventory);
  const KnownImage* same = find_same_image(inventory, sealed);
  if (same != nullptr && same->completeness == Completeness::whole) {
    return plan_for_present_image(sealed, inventory, line, *same);
  }

  DeliveryPlan plan;
  plan.kind = inventory.kind;
  const Holdings holdings(inventory);
  switch (inventory.kind) {
    case ReceiverKind::prefix: plan.steps = steps_on_prefix(sealed.image.layers, holdings); break;
    case ReceiverKind::blobs: plan.steps = steps_on_blobs(sealed.image.layers, holdings); break;
    case ReceiverKind::diff_ids:
      plan.steps = steps_on_diff_ids(sealed.image.layers, holdings, options.tar_sizes);
      break;
  }
  const auto kept = std::ranges::count(plan.steps, Action::keep, &Step::action);
  plan.why = same != nullptr ? "the host has this image, but not all of it"
             : kept == 0     ? "the host has none of its layers"
                             : fmt::format("the host has {} of its {} layers", kept, plan.steps.size());
  note_what_is_not_known(plan, inventory);
  account(plan, sealed, inventory, line, options);
  return plan;
}

DeliveryPlan deliver_whole(const image::SealedImage& sealed, const Inventory& inventory, Line line,
                           const DeliveryOptions& options, std::string why) {
  refuse_what_cannot_run(sealed, inventory);
  DeliveryPlan plan;
  plan.kind = inventory.kind;
  for (const image::Layer& layer : sealed.image.layers) {
    plan.steps.push_back(as_stored(layer, Action::send, "the whole image is sent"));
  }
  plan.why = std::move(why);
  account(plan, sealed, inventory, line, options);
  return plan;
}

image::SealedImage image_as_sent(const image::SealedImage& sealed, const DeliveryPlan& plan) {
  image::SealedImage sent = sealed;
  if (plan.steps.size() != sealed.image.layers.size()) {
    throw Error(ErrorKind::failed, "the delivery plan is for another image");
  }
  bool changed = false;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    image::Layer& layer = sent.image.layers[i];
    if (step.blob == layer.blob) continue;
    layer.blob = step.blob;
    layer.encoding = step.encoding;
    layer.size = step.size;
    changed = true;
  }
  if (changed) {
    sent.manifest = image::manifest_json(sent.image, sent.config_digest, sent.config.size());
    sent.manifest_digest = ManifestDigest{sha256(sent.manifest)};
  }
  return sent;
}

std::set<BlobDigest> blobs_to_send(const DeliveryPlan& plan) {
  std::set<BlobDigest> blobs;
  for (const Step& step : plan.steps) {
    if (step.action == Action::send) blobs.insert(step.blob);
  }
  return blobs;
}

Value to_value(const DeliveryPlan& plan) {
  Value::Array steps;
  for (const Step& step : plan.steps) {
    Value row{Value::Table{}};
    row.set("action", action_name(step.action));
    row.set("diff_id", step.diff_id.text());
    row.set("blob", step.blob.text());
    row.set("encoding", archive::encoding_name(step.encoding));
    row.set("size", step.size);
    row.set("bytes", step.bytes);
    row.set("why", step.why);
    steps.push_back(std::move(row));
  }
  Value::Array notes(plan.notes.begin(), plan.notes.end());
  Value document{Value::Table{}};
  document.set("receiver", receiver_kind_name(plan.kind));
  document.set("load", plan.work == Work::load);
  document.set("why", plan.why);
  document.set("bytes", plan.bytes);
  document.set("disk_peak", plan.disk_peak);
  document.set("disk_after", plan.disk_after);
  document.set("host_seconds", plan.host_seconds);
  document.set("line_seconds", plan.line_seconds);
  document.set("round_trips", plan.round_trips);
  document.set("steps", Value(std::move(steps)));
  document.set("notes", Value(std::move(notes)));
  return document;
}

}  // namespace veneer::deliver
