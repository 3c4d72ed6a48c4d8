// Images that a store of blobs holds and that do not tell which blobs they are made of, as those of other builders.
// Pure; thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "deliver/inventory.hh"
#include "deliver/receiver/receiver.hh"

namespace veneer::deliver {

/// The few images of `inventory` without our label that have layers of ours which no labelled one has, if those come to
/// `least` bytes and more: to look into them costs the host as much as they are large.
std::vector<KnownImage*> images_to_look_into(Inventory& inventory, const Question& question, std::uint64_t least);

}  // namespace veneer::deliver
