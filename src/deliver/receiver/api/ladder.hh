// A large shipment in steps that stay on the host: images of ever more of the lower layers, so that a cut line costs
// the layers under way and no more. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deliver/delivery_plan.hh"
#include "image/image.hh"

namespace veneer::deliver {

/// The tag of a rung's image.
inline constexpr std::string_view rung_tag_prefix = "veneer-step-";
std::string rung_tag(const image::SealedImage& rung);

/// Images with the lower layers of `sealed`, each with about `bytes` of layers that `plan` sends more than the one
/// before, and always at least one; none for the topmost part, which travels with the image itself.
std::vector<image::SealedImage> rungs_of(const image::SealedImage& sealed, const DeliveryPlan& plan,
                                         std::uint64_t bytes);

/// A rung as it is on the host once it is loaded.
KnownImage known_rung(const image::SealedImage& rung, ReceiverKind kind);

}  // namespace veneer::deliver
