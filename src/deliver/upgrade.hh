// Upgrades that travel as a file, for hosts without a line. Pure; thread-safe.
#pragma once

#include <set>

#include "foundation/digest.hh"
#include "image/image.hh"

namespace veneer::deliver {

/// The layers of `image` that a host needs which has `held`, whole: those whose content `held` has not, whatever its
/// kind of store and wherever they lie in it.
std::set<BlobDigest> layers_of_upgrade(const image::Image& image, const image::Image& held);

}  // namespace veneer::deliver
