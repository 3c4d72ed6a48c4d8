#include "deliver/receiver/ship.hh"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "foundation/error.hh"

namespace veneer::deliver {

namespace {

Question question_about(const image::SealedImage& sealed, const ShipRequest& request) {
  return {request.live_name, sealed.image.layers};
}

DeliveryOptions delivery_options(const image::SealedImage& sealed, const ShipRequest& request) {
  return {{unique_name_of(request.live_name, sealed).reference()}, {}, request.splice};
}

class Shipment {
 public:
  Shipment(const image::SealedImage& sealed, const image::Blobs& blobs, Receiver& receiver, const ShipRequest& request,
           const OnEvent& on_event)
      : sealed_(sealed), blobs_(blobs), receiver_(receiver), request_(request), on_event_(on_event) {
    result_.live_name = request.live_name;
    result_.unique_name = unique_name_of(request.live_name, sealed);
  }

  ShipResult run() {
    const int round_trips_before = receiver_.round_trips();
    const std::uint64_t bytes_before = receiver_.bytes_sent();
    result_.inventory = receiver_.inventory(question_about(sealed_, request_), on_event_);
    result_.image_id = "sha256:" + image_id_on(result_.inventory.kind, sealed_).hex();
    refuse_foreign_unique_name();
    const DeliveryOptions options = delivery_options(sealed_, request_);
    result_.plan = deliver(sealed_, result_.inventory, request_.line, options);
    tell(Event::Kind::planned, result_.plan.why);
    refuse_what_costs_too_much();

    std::optional<Problem> problem = carry_out();
    if (problem && problem->kind == Problem::Kind::incomplete && leaves_something_out()) {
      tell(Event::Kind::sending_whole, problem->text);
      result_.sent_whole_after_all = true;
      result_.plan = deliver_whole(sealed_, result_.inventory, request_.line, options,
                                   fmt::format("the host lacked something after all: {}", problem->text));
      problem = carry_out();
    }
    result_.bytes_sent = receiver_.bytes_sent() - bytes_before;
    result_.round_trips = receiver_.round_trips() - round_trips_before;
    if (problem) {
      throw Error(ErrorKind::verification,
                  fmt::format("{} {} did not take the image: {}", result_.inventory.engine.name,
                              result_.inventory.engine.version, problem->text),
                  fmt::format("{} stands for what it did before", result_.live_name.familiar()));
    }
    return std::move(result_);
  }

 private:
  void tell(Event::Kind kind, std::string text) const {
    if (on_event_) on_event_({kind, std::move(text), 0, 0});
  }

  // Loading over it would take the name from somebody's image, and on some engines the image too.
  void refuse_foreign_unique_name() const {
    const std::string full = result_.unique_name.full();
    for (const KnownImage& image : result_.inventory.images) {
      if (std::ranges::find(image.names, full) == image.names.end()) continue;
      if ("sha256:" + image.id.hex() == result_.image_id) return;
      throw Error(
          ErrorKind::refused,
          fmt::format("{} on the host stands for another image ({})", result_.unique_name.familiar(), image.id.hex()),
          "veneer names images so when it loads them; give that image another name and remove this one");
    }
  }

  void refuse_what_costs_too_much() const {
    const DeliveryPlan& plan = result_.plan;
    if (request_.most_bytes && plan.bytes > *request_.most_bytes) {
      throw Error(ErrorKind::gate,
                  fmt::format("{} bytes would be sent, {} are allowed", plan.bytes, *request_.most_bytes),
                  "--dry-run shows which layers travel and why");
    }
    const double seconds = plan.line_seconds + plan.host_seconds;
    if (request_.most_seconds && seconds > *request_.most_seconds) {
      throw Error(ErrorKind::gate,
                  fmt::format("it would take about {:.0f} s, {:.0f} are allowed", seconds, *request_.most_seconds),
                  "--dry-run shows which layers travel and why");
    }
  }

  std::optional<Problem> carry_out() {
    return receiver_.take({sealed_, result_.plan, result_.inventory, blobs_, request_.line, result_.unique_name,
                           request_.naming == Naming::live ? std::optional(result_.live_name) : std::nullopt,
                           result_.live_name, result_.image_id},
                          on_event_);
  }

  bool leaves_something_out() const {
    return std::ranges::any_of(result_.plan.steps, [](const Step& step) { return step.action != Action::send; });
  }

  const image::SealedImage& sealed_;
  const image::Blobs& blobs_;
  Receiver& receiver_;
  const ShipRequest& request_;
  const OnEvent& on_event_;
  ShipResult result_;
};

}  // namespace

EngineName unique_name_of(const EngineName& live_name, const image::SealedImage& sealed) {
  return live_name.with_tag("veneer-" + sealed.manifest_digest.hex().substr(0, 12));
}

DeliveryPlan plan_shipment(const image::SealedImage& sealed, Receiver& receiver, const ShipRequest& request,
                           const OnEvent& on_event) {
  const Inventory inventory = receiver.inventory(question_about(sealed, request), on_event);
  return deliver(sealed, inventory, request.line, delivery_options(sealed, request));
}

ShipResult ship(const image::SealedImage& sealed, const image::Blobs& blobs, Receiver& receiver,
                const ShipRequest& request, const OnEvent& on_event) {
  return Shipment(sealed, blobs, receiver, request, on_event).run();
}

}  // namespace veneer::deliver
