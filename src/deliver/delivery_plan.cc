#include "deliver/delivery_plan.hh"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "deliver/blob_delivery.hh"
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

constexpr double spliced_bytes_a_second = 60e6;  // saved, unpacked and packed on the host
// A splice keeps the host busy: it is not done for less than this.
constexpr std::uint64_t least_worth_a_splice = 16 * 1024;

constexpr std::uint64_t least_worth_a_note = 1'000'000;

constexpr std::uint64_t tar_block = 512;

// What the whole images on the host have, asked in the three ways in which engines look.
class Holdings {
 public:
  explicit Holdings(const Inventory& inventory) {
    for (const KnownImage& known : inventory.images) {
      if (known.completeness != Completeness::whole) continue;
      whole_.push_back(&known);
      for (const DiffId& diff_id : known.diff_ids) by_diff_id_.emplace(diff_id, &known);
      for (const BlobDigest& blob : known.found_blobs) by_blob_.emplace(blob, &known);
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
  /// Where a layer is, in which image and there as which from the bottom: the image that has most of `layers`.
  struct Place {
    const KnownImage* image = nullptr;
    std::size_t position = 0;
  };
  // The fewest images that hold them all is the set cover problem; always taking the one that has most of what is left
  // comes close, and hosts keep few images.
  std::map<DiffId, Place> places_of(const std::vector<image::Layer>& layers, std::size_t from) const {
    std::set<DiffId> wanted;
    for (std::size_t i = from; i < layers.size(); ++i) wanted.insert(layers[i].diff_id);
    std::map<DiffId, Place> places;
    for (bool found = true; found;) {  // reading an image back costs as much as it is large: few of them
      found = false;
      std::map<DiffId, Place> best;
      for (const KnownImage* known : whole_) {
        std::map<DiffId, Place> here;
        for (std::size_t i = 0; i < known->diff_ids.size(); ++i) {
          if (wanted.contains(known->diff_ids[i])) here.emplace(known->diff_ids[i], Place{known, i});
        }
        if (here.size() > best.size()) best = std::move(here);
      }
      for (const auto& [diff_id, place] : best) {
        wanted.erase(diff_id);
        found = true;
      }
      places.merge(best);
    }
    return places;
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
                "build it with fewer: veneer build --dependency-layers N, or a base of fewer layers");
  }
}

Step as_stored(const image::Layer& layer, Action action, std::string why) {
  return {action, layer.diff_id, layer.blob, layer.encoding, layer.size, 0, std::move(why), std::nullopt, 0, {}};
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

// As on a prefix receiver, but what the host has on other layers it lays among what comes: there its layers are plain
// tars, named by their diff IDs.
std::vector<Step> steps_with_splice(const std::vector<image::Layer>& layers, const Holdings& holdings,
                                    const std::map<DiffId, std::uint64_t>& tar_sizes) {
  std::vector<Step> steps = steps_on_prefix(layers, holdings);
  const auto kept = static_cast<std::size_t>(std::ranges::count(steps, Action::keep, &Step::action));
  const auto places = holdings.places_of(layers, kept);
  for (std::size_t i = kept; i < steps.size(); ++i) {
    Step& step = steps[i];
    const auto place = places.find(step.diff_id);
    if (place == places.end()) continue;
    step.action = Action::splice;
    step.blob = BlobDigest{step.diff_id.hash};
    step.encoding = image::Encoding::tar;
    const auto size = tar_sizes.find(step.diff_id);
    step.size = size != tar_sizes.end() ? size->second : 0;
    step.why = fmt::format("the host has it in {}, and reads it back", display_name(*place->second.image));
    step.source = place->second.image->id;
    step.position = place->second.position;
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
  std::set<Hash> sources;
  for (Step& step : plan.steps) {
    if (step.action == Action::splice) {
      if (step.source) sources.insert(*step.source);
      unpacked += unpacked_size(step, options.tar_sizes);
    }
    if (step.action != Action::send) continue;
    ++layers_sent;
    unpacked += unpacked_size(step, options.tar_sizes);
    if (!counted.insert(step.blob).second) continue;  // one copy in the archive serves all layers with these bytes
    step.bytes = tar_entry_size(step.size);
    sent += step.size;
  }

  plan.bytes = image::archive_size(image_as_sent(sealed, plan), options.names, counted);
  if (!sources.empty()) plan.bytes += inventory.splice_bytes;

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
  // An image that is read back is written to a folder of its own, and its layers once more into the load.
  std::uint64_t read_back = 0;
  for (const KnownImage& known : inventory.images) {
    if (sources.contains(known.id)) read_back += known.size;
  }
  plan.disk_peak += read_back;
  plan.host_seconds += static_cast<double>(read_back) / spliced_bytes_a_second;
  plan.round_trips = inventory.taking.to_load + inventory.taking.to_verify + inventory.taking.a_name;
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

void note_what_a_splice_would_save(DeliveryPlan& plan, const Holdings& holdings) {
  std::uint64_t bytes = 0;
  for (const Step& step : plan.steps) {
    if (step.action == Action::send && holdings.with_diff_id(step.diff_id) != nullptr) bytes += step.bytes;
  }
  if (bytes < least_worth_a_note) return;
  plan.notes.push_back(fmt::format(
      "{} bytes of it are on the host, on other layers: it could read them back over ssh, or by a helper container",
      bytes));
}

std::string summary_of(const std::vector<Step>& steps) {
  const auto kept = std::ranges::count(steps, Action::keep, &Step::action);
  const auto spliced = std::ranges::count(steps, Action::splice, &Step::action);
  if (kept + spliced == 0) return "the host has none of its layers";
  std::string text = fmt::format("the host has {} of its {} layers", kept + spliced, steps.size());
  if (spliced > 0) text += fmt::format(" and reads {} of them back", spliced);
  return text;
}

// Whether a splice is worth it. Its estimates of the host's time are rough, and a line that nobody described is
// taken for one where bytes matter most.
bool is_better(const DeliveryPlan& spliced, const DeliveryPlan& plain, const Inventory& inventory, Line line) {
  if (spliced.bytes + least_worth_a_splice > plain.bytes) return false;
  if (inventory.free_disk && *inventory.free_disk < spliced.disk_peak) return false;
  if (inventory.free_staging && *inventory.free_staging < spliced.disk_peak) return false;
  if (line.bytes_per_second <= 0) return true;
  return spliced.line_seconds + spliced.host_seconds < plain.line_seconds + plain.host_seconds;
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
  plan.round_trips = std::max(inventory.taking.to_verify + 2 * inventory.taking.a_name, 1);
  plan.line_seconds = line.round_trip_seconds * plan.round_trips;
  return plan;
}

}  // namespace

std::string_view action_name(Action action) {
  switch (action) {
    case Action::keep: return "keep";
    case Action::send: return "send";
    case Action::splice: return "splice";
    case Action::mount: return "mount";
  }
  return "";
}

DeliveryPlan deliver(const image::SealedImage& sealed, const Inventory& inventory, Line line,
                     const DeliveryOptions& options) {
  if (inventory.intake == Intake::blobs) return deliver_blobs(sealed, inventory, line, options);
  refuse_what_cannot_run(sealed, inventory);
  const KnownImage* same = find_same_image(inventory, sealed);
  if (same != nullptr && same->completeness == Completeness::whole) {
    return plan_for_present_image(sealed, inventory, line, *same);
  }

  const Holdings holdings(inventory);
  const auto planned = [&](std::vector<Step> steps) {
    DeliveryPlan plan;
    plan.kind = inventory.kind;
    plan.steps = std::move(steps);
    plan.why = same != nullptr ? "the host has this image, but not all of it" : summary_of(plan.steps);
    note_what_is_not_known(plan, inventory);
    account(plan, sealed, inventory, line, options);
    return plan;
  };
  switch (inventory.kind) {
    case ReceiverKind::blobs: return planned(steps_on_blobs(sealed.image.layers, holdings));
    case ReceiverKind::diff_ids: return planned(steps_on_diff_ids(sealed.image.layers, holdings, options.tar_sizes));
    case ReceiverKind::prefix: break;
  }
  // Both are made and weighed by their numbers: a splice saves bytes on the line and costs the host disk and time, so
  // neither is always the better one.
  DeliveryPlan plain = planned(steps_on_prefix(sealed.image.layers, holdings));
  if (inventory.splicing == Splicing::impossible) note_what_a_splice_would_save(plain, holdings);
  if (options.splice == SpliceChoice::never || inventory.splicing == Splicing::impossible) return plain;
  DeliveryPlan spliced = planned(steps_with_splice(sealed.image.layers, holdings, options.tar_sizes));
  if (options.splice == SpliceChoice::whenever_possible) return spliced;
  return is_better(spliced, plain, inventory, line) ? spliced : plain;
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
  if (plan.kind == ReceiverKind::prefix && !sent.image.annotations.empty()) {
    sent.image.annotations.clear();  // it reads manifest.json and the configuration
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
    if (step.source) row.set("source", "sha256:" + step.source->hex());
    if (!step.repository.empty()) row.set("repository", step.repository);
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
