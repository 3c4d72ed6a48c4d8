// deliver() for a receiver that takes blobs one by one, as registries do. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>

#include "deliver/delivery_plan.hh"

namespace veneer::deliver {

/// Plans a push: what a manifest of the repository names or what was found there is kept, what another repository of
/// the registry has is mounted, all else is sent. `options.names` are the tags, each of which takes the manifest once.
/// A registry takes images for any machine and of any number of layers.
DeliveryPlan deliver_blobs(const image::SealedImage& sealed, const Inventory& inventory, Line line,
                           const DeliveryOptions& options);

/// Why the receiver is known to have `blob`, for people; nothing when it is not.
std::optional<std::string> why_there(const Inventory& inventory, const BlobDigest& blob);

}  // namespace veneer::deliver
