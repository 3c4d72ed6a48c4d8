#include "app/price.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "app/deploy_forecast.hh"
#include "build/carried_plan.hh"
#include "build/layer_forecast.hh"
#include "deliver/forecast.hh"
#include "deliver/receiver/ship.hh"
#include "foundation/error.hh"
#include "image/platform.hh"
#include "plan/layout.hh"

namespace veneer::app {

namespace {

constexpr const char* site_packages = "app/.venv/lib/python3.13/site-packages";
constexpr std::uint64_t environment_bytes = 2'500;  // links, an activate script, the user's account
constexpr std::size_t usual_base_layers = 2;        // of debian:SUITE; they only lengthen the lists

std::string history_text(std::string_view kind, const std::string& title) {
  return fmt::format("veneer: {} {}", kind, title);
}

/// What is known of the layers of an image, bottom to top.
struct Layers {
  std::vector<PricedLayer> priced;
  plan::PlanRecord record;    // of its plan, for the next one
  image::SealedImage sealed;  // digests are made of keys: equal ones are equal layers
};

class Drawing {
 public:
  explicit Drawing(const PricedImage& image) {
    drawn_.config.platform = image::parse_platform(image.platform);
    drawn_.config.created = "2026-01-01T00:00:00Z";
    Value labels{Value::Table{}};
    labels.set("org.opencontainers.image.revision", image.revision);
    drawn_.config.run.set("Labels", std::move(labels));
    for (std::size_t i = 0; i < usual_base_layers; ++i) {
      add(history_text("base", image.platform), {sha256(fmt::format("base {}", i))}, {"base", 0});
    }
  }

  void add(const std::string& history, const LayerKey& key, PricedLayer layer) {
    drawn_.layers.push_back({DiffId{key.hash}, image::Encoding::gzip, BlobDigest{key.hash}, layer.bytes});
    Value entry;
    entry.set("created_by", history);
    drawn_.config.history.push_back(std::move(entry));
    layers_.priced.push_back(std::move(layer));
  }

  Layers finish(plan::PlanRecord record) {
    build::carry_plan(drawn_, record);
    layers_.record = std::move(record);
    layers_.sealed = image::seal(std::move(drawn_));
    return std::move(layers_);
  }

 private:
  image::Image drawn_;
  Layers layers_;
};

Layers draw(const PricedImage& image, const std::optional<plan::PlanRecord>& previous, const PriceOptions& options) {
  std::vector<plan::Component> components;
  std::map<std::string_view, const PricedDistribution*> by_id;
  for (const PricedDistribution& distribution : image.distributions) {
    components.push_back(distribution.component);
    by_id.emplace(distribution.component.id, &distribution);
  }
  plan::LayoutOptions layout;
  layout.base_layers = usual_base_layers;
  layout.dependency_layers = options.dependency_layers;
  Drawing drawing(image);
  plan::LayoutPlan planned = plan::layout(components, {}, previous, layout);
  for (const plan::PlannedLayer& layer : planned.layers) {
    PricedLayer priced{layer.title, build::forecast_frame(site_packages)};
    for (const std::string& id : layer.components) {
      const PricedDistribution& distribution = *by_id.at(id);
      priced.bytes += bytes_in_layer(distribution.component.size);
      if (distribution.certainty == Certainty::estimated) priced.certainty = Certainty::estimated;
    }
    drawing.add(history_text("distribution", layer.title), layer.key, std::move(priced));
  }
  drawing.add(history_text("environment", "virtual environment"), {sha256("environment\n" + image.environment)},
              {"virtual environment", environment_bytes});
  for (const PricedPart& part : image.application) {
    drawing.add(history_text("application", part.title), part.key, {part.title, part.bytes, part.certainty});
  }
  return drawing.finish(std::move(planned.record));
}

/// As engines that pull do it: the manifest and, unless they have the image, its configuration and the layers that
/// `kind` lets them not reuse.
PricedHost pull(std::string receiver, const image::SealedImage& image, const image::SealedImage& held,
                deliver::ReceiverKind kind, deliver::Line line) {
  PricedHost host{.receiver = std::move(receiver)};
  if (image.manifest_digest == held.manifest_digest) return host;
  const std::vector<image::Layer>& layers = image.image.layers;
  std::set<BlobDigest> blobs;
  for (const image::Layer& layer : held.image.layers) blobs.insert(layer.blob);
  bool is_prefix = true;
  host.bytes = image.manifest.size() + image.config.size();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    is_prefix = is_prefix && i < held.image.layers.size() && held.image.layers[i].diff_id == layers[i].diff_id;
    if (kind == deliver::ReceiverKind::prefix ? is_prefix : !blobs.insert(layers[i].blob).second) continue;
    host.bytes += layers[i].size;
    ++host.layers;
  }
  host.seconds = line.round_trip_seconds * 2;
  if (line.bytes_per_second > 0) host.seconds += static_cast<double>(host.bytes) / line.bytes_per_second;
  return host;
}

std::vector<PricedChange> changes_between(const PricedImage& from, const PricedImage& to) {
  using Names = std::map<std::pair<std::string, LayerKey>, const PricedDistribution*>;
  const auto keyed = [](const PricedImage& image) {
    Names names;
    for (const PricedDistribution& distribution : image.distributions)
      names.emplace(std::pair(distribution.component.name, distribution.component.key), &distribution);
    return names;
  };
  const Names before = keyed(from);
  const Names now = keyed(to);
  std::map<std::string, PricedChange> changes;  // by name
  for (const auto& [key, distribution] : before) {
    if (!now.contains(key)) changes[key.first].from = distribution->version;
  }
  for (const auto& [key, distribution] : now) {
    if (before.contains(key)) continue;
    PricedChange& change = changes[key.first];
    change.to = distribution->version;
    change.bytes += distribution->component.size;
  }
  std::vector<PricedChange> sorted;
  for (auto& [name, change] : changes) {
    change.name = name;
    sorted.push_back(std::move(change));
  }
  std::ranges::stable_sort(sorted, std::ranges::greater(), &PricedChange::bytes);
  return sorted;
}

}  // namespace

// Of 56 distributions of the example the layers are 200 to 12 000 bytes larger than the files, more where there are
// many modules in it.
std::uint64_t bytes_in_layer(std::uint64_t file_bytes) {
  constexpr std::uint64_t fixed = 600;  // RECORD anew, INSTALLER, the scripts
  constexpr std::uint64_t most_of_size = 150'000;
  return file_bytes + fixed + std::min(file_bytes, most_of_size) / 100;
}

const PricedHost& Price::dearest() const { return *std::ranges::max_element(hosts, {}, &PricedHost::bytes); }

Price price(const PricedImage& from, const PricedImage& to, const PriceOptions& options) {
  const Layers before = draw(from, std::nullopt, options);
  const Layers now = draw(to, before.record, options);
  Price price{.from = from.name, .to = to.name};
  const deliver::EngineName name = deliver::unique_name_of(deliver::parse_engine_name("image:new"), now.sealed);
  for (const deliver::Forecast& forecast :
       deliver::forecast(now.sealed, before.sealed, options.line, name.reference())) {
    price.hosts.push_back({forecast.receiver, forecast.plan.bytes,
                           static_cast<std::size_t>(
                               std::ranges::count(forecast.plan.steps, deliver::Action::send, &deliver::Step::action)),
                           forecast.plan.line_seconds + forecast.plan.host_seconds});
  }
  price.hosts.push_back(
      pull("docker pull, overlay2", now.sealed, before.sealed, deliver::ReceiverKind::prefix, options.line));
  price.hosts.push_back(pull("docker pull, containerd store; podman pull", now.sealed, before.sealed,
                             deliver::ReceiverKind::blobs, options.line));

  std::set<DiffId> held;
  for (const image::Layer& layer : before.sealed.image.layers) held.insert(layer.diff_id);
  for (std::size_t i = 0; i < now.priced.size(); ++i) {
    if (!held.contains(now.sealed.image.layers[i].diff_id)) price.layers.push_back(now.priced[i]);
  }
  std::ranges::stable_sort(price.layers, std::ranges::greater(), &PricedLayer::bytes);
  price.changes = changes_between(from, to);
  return price;
}

Value to_value(const Price& price) {
  Value::Array hosts;
  for (const PricedHost& host : price.hosts) {
    Value row;
    row.set("receiver", host.receiver);
    row.set("bytes", host.bytes);
    row.set("layers", std::uint64_t{host.layers});
    row.set("seconds", host.seconds);
    hosts.push_back(std::move(row));
  }
  Value::Array layers;
  for (const PricedLayer& layer : price.layers) {
    Value row;
    row.set("title", layer.title);
    row.set("bytes", layer.bytes);
    row.set("estimated", layer.certainty == Certainty::estimated);
    layers.push_back(std::move(row));
  }
  Value::Array changes;
  for (const PricedChange& change : price.changes) {
    Value row;
    row.set("name", change.name);
    row.set("from", change.from);
    row.set("to", change.to);
    row.set("bytes", change.bytes);
    changes.push_back(std::move(row));
  }
  Value::Array notes;
  for (const std::string& note : price.notes) notes.emplace_back(note);
  Value value;
  value.set("from", price.from);
  value.set("to", price.to);
  value.set("deploy", std::move(hosts));
  value.set("layers", std::move(layers));
  value.set("changes", std::move(changes));
  value.set("notes", std::move(notes));
  return value;
}

}  // namespace veneer::app
