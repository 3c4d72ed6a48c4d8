// Brings an image to an engine and gives it its name: asks what is there, plans, loads under a name of its own,
// verifies, and only then moves the live name. Called by cli/. One call belongs to one thread; it starts one more to
// make the archive while it is sent.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "deliver/delivery_plan.hh"
#include "deliver/receiver/docker_engine.hh"
#include "image/blobs.hh"
#include "image/image.hh"

namespace veneer::deliver {

/// What is being done. `bytes` of `total` have been sent; both 0 but for sending.
struct Event {
  enum class Kind {
    asking,   // what the host has
    planned,  // text: the plan's reason
    sending,  // many times
    working,  // everything is sent, the engine unpacks
    verifying,
    sending_whole,  // the host lacked something after all; text: what it said. The whole image follows
    naming,         // text: the live name
    cleaning_up,    // text: the name that is taken away again
  };
  Kind kind = Kind::asking;
  std::string text;
  std::uint64_t bytes = 0;
  std::uint64_t total = 0;
};
using OnEvent = std::function<void(const Event&)>;

struct ShipRequest {
  EngineName live_name;
  Line line = local_line;
};

struct ShipResult {
  DeliveryPlan plan;       // that was carried out at last
  Inventory inventory;     // it was made from
  std::string image_id;    // on the host: "sha256:" and an identifier
  EngineName unique_name;  // stays: the image is found again by it when the live name has moved on
  EngineName live_name;
  std::uint64_t bytes_sent = 0;  // of archives, counted as they went; both when it was sent twice
  bool sent_whole_after_all = false;
  int requests = 0;
};

/// The name under which `sealed` is loaded: that of the live name with a tag made from the manifest digest.
EngineName unique_name_of(const EngineName& live_name, const image::SealedImage& sealed);

/// What ship() would do, for --dry-run.
DeliveryPlan plan_shipment(const image::SealedImage& sealed, DockerEngine& engine, const ShipRequest& request);

/// Brings `sealed` to the engine. `blobs` must hold the layers that travel; those that the host has are not opened.
/// When it returns, the live name stands for a whole image with these layers that a container can be created of. When
/// it throws, the live name stands for what it did before, and the name that was new is gone again. A load that fails
/// for something the host was thought to have is repeated once with every layer. Throws Error: refused (wrong machine,
/// too many layers), network (no engine, or it refuses), verification (loaded, but not the image that was sent), and
/// what `blobs` throws.
ShipResult ship(const image::SealedImage& sealed, const image::Blobs& blobs, DockerEngine& engine,
                const ShipRequest& request, const OnEvent& on_event = {});

}  // namespace veneer::deliver
