// What bringing an image to hosts would cost that have another one and nothing else: an answer without a host. Pure;
// thread-safe.
#pragma once

#include <string>
#include <vector>

#include "deliver/delivery_plan.hh"
#include "deliver/inventory.hh"
#include "image/image.hh"
#include "image/reference.hh"

namespace veneer::deliver {

struct Forecast {
  std::string receiver;  // "Docker with overlay2, over ssh"
  ReceiverKind kind = ReceiverKind::prefix;
  Splicing splicing = Splicing::impossible;
  DeliveryPlan plan;
};

/// A host of that kind that has `held`, whole, and nothing else.
Inventory inventory_of_one(const image::SealedImage& held, ReceiverKind kind, Splicing splicing);

/// One for each kind of host, in the order in which they are listed in docs/receivers.md. `name` is what the image is
/// called there. Throws Error (refused) as deliver() does.
std::vector<Forecast> forecast(const image::SealedImage& sealed, const image::SealedImage& held, Line line,
                               const image::Reference& name);

/// The one that sends most.
const Forecast& dearest(const std::vector<Forecast>& forecasts);

/// [{"receiver", "kind", "splices", "plan": as to_value(DeliveryPlan)}...]
Value to_value(const std::vector<Forecast>& forecasts);

}  // namespace veneer::deliver
