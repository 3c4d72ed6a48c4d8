// How an image gets to a host: which of its layers travel, why, and what that costs. Made by deliver(), carried out by
// receiver/ship.hh, printed by `plan` and `ship --dry-run`. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "deliver/inventory.hh"
#include "foundation/digest.hh"
#include "foundation/value.hh"
#include "image/image.hh"
#include "image/reference.hh"

namespace veneer::deliver {

enum class Action {
  keep,    // the host has the layer: the archive names it and does not hold it
  send,    // the layer travels
  splice,  // the host feeds its own copy back into the load
  mount,   // a registry takes it from another of its repositories
};
std::string_view action_name(Action action);

/// One layer's way to the host.
struct Step {
  Action action = Action::send;
  DiffId diff_id;
  BlobDigest blob;                                   // under which the archive names the layer
  image::Encoding encoding = image::Encoding::gzip;  // the form that `blob` is in
  std::uint64_t size = 0;                            // of that form; 0 when it is not known (kept layers on diff_ids)
  std::uint64_t bytes = 0;                           // on the wire
  std::string why;
  std::optional<Hash> source;  // spliced: the image on the host that has the layer,
  std::size_t position = 0;    // as its position-th from the bottom, counted from 0
  std::string repository;      // mounted: that has it
};

/// The line to the host. For a socket on this machine: local_line.
struct Line {
  double bytes_per_second = 0;  // 0: not known, then the fewest bytes win over the least time
  double round_trip_seconds = 0;
};
inline constexpr Line local_line{1e9, 0.0005};
/// Seconds, for estimates, where nobody told.
inline constexpr double usual_round_trip = 0.1;

/// Bytes of a layer's files for one of its compressed blob, where nothing better is known.
inline constexpr std::uint64_t assumed_unpacking_factor = 3;

enum class Work {
  nothing_to_load,  // the host has this very image: it only gets its names
  load,
};

struct DeliveryPlan {
  ReceiverKind kind = ReceiverKind::prefix;
  Work work = Work::load;
  std::string why;               // in one sentence, for the whole image
  std::vector<Step> steps;       // one a layer, bottom to top
  std::uint64_t bytes = 0;       // of archives or blobs that are sent, exactly; 0 when nothing is loaded
  std::uint64_t disk_peak = 0;   // bytes that the host's disk must have free while it loads, estimated
  std::uint64_t disk_after = 0;  // bytes that the image adds to it, estimated
  double host_seconds = 0;       // that the host is busy, estimated
  double line_seconds = 0;       // for the given line
  int round_trips = 0;           // still to come after the inventory
  std::vector<std::string> notes;
};

enum class SpliceChoice {
  never,
  when_cheaper,       // where the host can
  whenever_possible,  // what the host has need not be here
};

struct DeliveryOptions {
  /// Under which the image is loaded; their lengths count in `bytes`.
  std::vector<image::Reference> names;
  /// Sizes of the uncompressed layers, as far as they are known: they make the estimates of disk and time better.
  std::map<DiffId, std::uint64_t> tar_sizes;
  SpliceChoice splice = SpliceChoice::when_cheaper;
};

/// Plans the cheapest way to bring `sealed` to the host. Throws Error (refused) when the host's machine cannot run the
/// image, or the image has more layers than the host can start.
DeliveryPlan deliver(const image::SealedImage& sealed, const Inventory& inventory, Line line,
                     const DeliveryOptions& options = {});

/// The same, but every layer travels whatever the host says that it has. `why` says why that is so.
DeliveryPlan deliver_whole(const image::SealedImage& sealed, const Inventory& inventory, Line line,
                           const DeliveryOptions& options, std::string why);

/// `sealed` as the archive of `plan` names it: the same configuration, and a manifest with the steps' blobs, without
/// annotations for a host that keeps none.
image::SealedImage image_as_sent(const image::SealedImage& sealed, const DeliveryPlan& plan);

/// The blobs that the archive of `plan` holds.
std::set<BlobDigest> blobs_to_send(const DeliveryPlan& plan);

/// The plan as a document; keys are stable (docs/receivers.md).
Value to_value(const DeliveryPlan& plan);

}  // namespace veneer::deliver
