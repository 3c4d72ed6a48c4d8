// Brings an image to a host and gives it its name: asks what is there, plans, has it loaded under a name of its own and
// verified, and only then is the live name moved. One call belongs to one thread; it starts one more to make the
// archive while it is sent.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "deliver/delivery_plan.hh"
#include "deliver/receiver/receiver.hh"
#include "image/blobs.hh"
#include "image/image.hh"

namespace veneer::deliver {

/// Whether the live name moves when the image is there, or is left to a rollout.
enum class Naming { live, unique_only };

struct ShipRequest {
  EngineName live_name;
  Line line = local_line;
  SpliceChoice splice = SpliceChoice::when_cheaper;
  Naming naming = Naming::live;
  std::optional<std::uint64_t> most_bytes;  // gates: what costs more is not sent
  std::optional<double> most_seconds;       // on the line and the host, as the plan estimates them
};

struct ShipResult {
  DeliveryPlan plan;       // that was carried out at last
  Inventory inventory;     // it was made from
  std::string image_id;    // on the host: "sha256:" and an identifier
  EngineName unique_name;  // stays: the image is found again by it when the live name has moved on
  EngineName live_name;
  std::uint64_t bytes_sent = 0;  // of archives, counted as they went; both when it was sent twice
  bool sent_whole_after_all = false;
  int round_trips = 0;  // in all, those of the inventory too
};

/// The name under which `sealed` is loaded: that of the live name with a tag made from the manifest digest.
EngineName unique_name_of(const EngineName& live_name, const image::SealedImage& sealed);

/// A shipment in two steps, so that many hosts can be asked before anything is sent to the first. All that is given
/// must outlive it. ship() does both and tells what they throw.
class Shipment {
 public:
  Shipment(const image::SealedImage& sealed, const image::Blobs& blobs, Receiver& receiver, ShipRequest request,
           OnEvent on_event);
  /// Asks the host and plans; changes nothing. To be called first, and once.
  const DeliveryPlan& plan();
  /// Throws gate when the plan costs more than the request allows.
  void check_gates() const;
  /// Carries the plan out. To be called once.
  ShipResult carry_out();

 private:
  void tell(Event::Kind kind, std::string text) const;
  DeliveryOptions options() const;
  void refuse_foreign_unique_name() const;
  std::optional<Problem> take();
  bool leaves_something_out() const;

  const image::SealedImage& sealed_;
  const image::Blobs& blobs_;
  Receiver& receiver_;
  ShipRequest request_;
  OnEvent on_event_;
  int round_trips_before_;
  ShipResult result_;
};

/// Brings `sealed` to the engine. `blobs` must hold the layers that travel; those that the host has are not opened.
/// When it returns, the unique name and, unless the request says otherwise, the live name stand for a whole image with
/// these layers that a container can be created of. When it throws, the live name stands for what it did before, and
/// the name that was new is gone again. A load that fails for something the host was thought to have is repeated once
/// with every layer. Throws Error: refused (wrong machine, too many layers), gate, network (no engine, or it refuses),
/// verification (loaded, but not the image that was sent), and what `blobs` throws.
ShipResult ship(const image::SealedImage& sealed, const image::Blobs& blobs, Receiver& receiver,
                const ShipRequest& request, const OnEvent& on_event = {});

}  // namespace veneer::deliver
