// A host that takes images. One implementation a way to reach it: api/ speaks the Docker Engine API, ssh/ runs a script
// on the host. One receiver belongs to one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deliver/delivery_plan.hh"
#include "deliver/inventory.hh"
#include "deliver/receiver/engine_name.hh"
#include "deliver/receiver/problem.hh"
#include "deliver/receiver/sent_archive.hh"
#include "image/blobs.hh"
#include "image/image.hh"

namespace veneer::deliver {

/// The label of the containers that are made to see whether an image can run; its value is the manifest digest.
inline constexpr std::string_view check_label = "dev.veneer.check";

/// What is being done. `bytes` of `total` have been sent; both 0 but for sending.
struct Event {
  enum class Kind {
    connecting,    // text: the host
    asking,        // what the host has
    planned,       // text: the plan's reason
    sending,       // many times
    helping,       // a helper container is made on the host; text: the socket that it gets
    working,       // everything is sent, the engine unpacks
    reconnecting,  // the line was cut; text: why. It goes on from where it was
    waiting,       // for an earlier connection of this run to end its work
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
inline void tell(const OnEvent& on_event, const Event& event) {
  if (on_event) on_event(event);
}

/// What an inventory is wanted for.
struct Question {
  EngineName live_name;              // images named like its repository are of interest
  std::vector<image::Layer> layers;  // and those that share one of these
};

/// One image on its way.
struct Delivery {
  const image::SealedImage& sealed;
  const DeliveryPlan& plan;
  const Inventory& inventory;  // that `plan` was made from
  const image::Blobs& blobs;   // the layers that travel
  Line line;
  EngineName unique_name;
  std::optional<EngineName> live_name;  // nothing: it stays where it is
  EngineName home;                      // the live name, whether it moves or not
  std::string image_id;                 // "sha256:" and an identifier, on this host

  /// The archive that the plan sends, under the unique name. Throws not_found when `blobs` lacks a layer of it.
  SentArchive archive() const { return {sealed, plan, blobs, {unique_name.reference()}}; }
};

class Receiver {
 public:
  virtual ~Receiver() = default;

  /// Asks what the host has. Throws Error (network).
  virtual Inventory inventory(const Question& question, const OnEvent& on_event) = 0;

  /// Loads what the plan sends under the unique name, verifies that the image is there (listed, complete, with our
  /// layers, a container can be created of it) and only then moves the live name. Returns what is wrong, nothing when
  /// all is well. When something is wrong, or it throws, the live name stands for what it did before, and what this
  /// call brought is gone again where that can be reached. Throws Error (network) when the connection is lost for good.
  virtual std::optional<Problem> take(const Delivery& delivery, const OnEvent& on_event) = 0;

  /// Bytes of archives sent so far, what was sent twice counted twice.
  virtual std::uint64_t bytes_sent() const = 0;
  /// Times that this side waited for an answer so far.
  virtual int round_trips() const = 0;
};

}  // namespace veneer::deliver
