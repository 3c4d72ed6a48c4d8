// Upgrades that travel as a file, for hosts without a line. Pure; thread-safe.
#pragma once

#include <set>
#include <string_view>

#include "foundation/digest.hh"
#include "image/image.hh"

namespace veneer::deliver {

/// The annotation of an upgrade's index that says which image the host must have, as the sender calls it.
inline constexpr std::string_view upgrade_base_annotation = "dev.veneer.upgrade.base";

/// The layers of `image` that a host needs which has `held`, whole: those whose content `held` has not, whatever its
/// kind of store and wherever they lie in it.
std::set<BlobDigest> layers_of_upgrade(const image::Image& image, const image::Image& held);

}  // namespace veneer::deliver
