#include "deliver/forecast.hh"

#include <algorithm>
#include <array>

namespace veneer::deliver {

namespace {

struct KindOfHost {
  const char* name;
  ReceiverKind kind;
  Splicing splicing;
};
constexpr std::array<KindOfHost, 4> kinds_of_hosts{
    {{"Docker with overlay2, over ssh", ReceiverKind::prefix, Splicing::possible},
     {"Docker with overlay2, by its API", ReceiverKind::prefix, Splicing::impossible},
     {"Docker with the containerd store", ReceiverKind::blobs, Splicing::impossible},
     {"podman", ReceiverKind::diff_ids, Splicing::impossible}}};

}  // namespace

Inventory inventory_of_one(const image::SealedImage& held, ReceiverKind kind, Splicing splicing) {
  KnownImage known;
  known.id = image_id_on(kind, held);
  known.names = {"the image there"};
  known.completeness = Completeness::whole;
  std::vector<image::LabelledLayer> blobs;
  for (const image::Layer& layer : held.image.layers) {
    known.diff_ids.push_back(layer.diff_id);
    blobs.push_back({layer.blob, layer.size, layer.encoding});
    known.size += layer.size * (layer.encoding == image::Encoding::tar ? 1 : assumed_unpacking_factor);
  }
  known.blobs = std::move(blobs);
  Inventory inventory;
  inventory.kind = kind;
  inventory.engine.name = kind == ReceiverKind::diff_ids ? "podman" : "docker";
  inventory.machine = held.image.config.platform;
  inventory.splicing = splicing;
  inventory.images.push_back(std::move(known));
  return inventory;
}

std::vector<Forecast> forecast(const image::SealedImage& sealed, const image::SealedImage& held, Line line,
                               const image::Reference& name) {
  std::vector<Forecast> forecasts;
  for (const KindOfHost& host : kinds_of_hosts) {
    const Inventory inventory = inventory_of_one(held, host.kind, host.splicing);
    forecasts.push_back(
        {host.name, host.kind, host.splicing, deliver(sealed, inventory, line, {.names = {name}, .tar_sizes = {}})});
  }
  return forecasts;
}

const Forecast& dearest(const std::vector<Forecast>& forecasts) {
  return *std::ranges::max_element(forecasts, {}, [](const Forecast& forecast) { return forecast.plan.bytes; });
}

Value to_value(const std::vector<Forecast>& forecasts) {
  Value::Array rows;
  for (const Forecast& forecast : forecasts) {
    Value row{Value::Table{}};
    row.set("receiver", forecast.receiver);
    row.set("kind", receiver_kind_name(forecast.kind));
    row.set("splices", forecast.splicing == Splicing::possible);
    row.set("plan", to_value(forecast.plan));
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace veneer::deliver
