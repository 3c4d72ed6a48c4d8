#include "deliver/receiver/ship.hh"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "foundation/error.hh"

namespace veneer::deliver {

EngineName unique_name_of(const EngineName& live_name, const image::SealedImage& sealed) {
  return live_name.with_tag("veneer-" + sealed.manifest_digest.hex().substr(0, 12));
}

Shipment::Shipment(const image::SealedImage& sealed, const image::Blobs& blobs, Receiver& receiver, ShipRequest request,
                   OnEvent on_event)
    : sealed_(sealed),
      blobs_(blobs),
      receiver_(receiver),
      request_(std::move(request)),
      on_event_(std::move(on_event)),
      round_trips_before_(receiver.round_trips()) {
  result_.live_name = request_.live_name;
  result_.unique_name = unique_name_of(request_.live_name, sealed);
}

void Shipment::tell(Event::Kind kind, std::string text) const {
  deliver::tell(on_event_, {kind, std::move(text), 0, 0});
}

DeliveryOptions Shipment::options() const { return {{result_.unique_name.reference()}, {}, request_.splice}; }

const DeliveryPlan& Shipment::plan() {
  result_.inventory = receiver_.inventory({request_.live_name, sealed_.image.layers}, on_event_);
  result_.image_id = "sha256:" + image_id_on(result_.inventory.kind, sealed_).hex();
  result_.plan = deliver(sealed_, result_.inventory, request_.line, options());
  tell(Event::Kind::planned, result_.plan.why);
  return result_.plan;
}

// Loading over it would take the name from somebody's image, and on some engines the image too.
void Shipment::refuse_foreign_unique_name() const {
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

void Shipment::check_gates() const {
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

std::optional<Problem> Shipment::take() {
  return receiver_.take({sealed_, result_.plan, result_.inventory, blobs_, request_.line, result_.unique_name,
                         request_.naming == Naming::live ? std::optional(result_.live_name) : std::nullopt,
                         result_.live_name, result_.image_id},
                        on_event_);
}

bool Shipment::leaves_something_out() const {
  return std::ranges::any_of(result_.plan.steps, [](const Step& step) { return step.action != Action::send; });
}

ShipResult Shipment::carry_out() {
  refuse_foreign_unique_name();
  check_gates();
  const std::uint64_t bytes_before = receiver_.bytes_sent();
  std::optional<Problem> problem = take();
  if (problem && problem->kind == Problem::Kind::incomplete && leaves_something_out()) {
    tell(Event::Kind::sending_whole, problem->text);
    result_.sent_whole_after_all = true;
    result_.plan = deliver_whole(sealed_, result_.inventory, request_.line, options(),
                                 fmt::format("the host lacked something after all: {}", problem->text));
    problem = take();
  }
  result_.bytes_sent = receiver_.bytes_sent() - bytes_before;
  result_.round_trips = receiver_.round_trips() - round_trips_before_;
  if (problem) {
    const bool is_refused = problem->kind == Problem::Kind::refused;
    throw Error(is_refused ? ErrorKind::refused : ErrorKind::verification,
                fmt::format("{} {} did not take the image: {}", result_.inventory.engine.name,
                            result_.inventory.engine.version, problem->text),
                fmt::format("{}{}{} stands for what it did before", problem->hint, problem->hint.empty() ? "" : "; ",
                            result_.live_name.familiar()));
  }
  return std::move(result_);
}

ShipResult ship(const image::SealedImage& sealed, const image::Blobs& blobs, Receiver& receiver,
                const ShipRequest& request, const OnEvent& on_event) {
  Shipment shipment(sealed, blobs, receiver, request, on_event);
  shipment.plan();
  return shipment.carry_out();
}

}  // namespace veneer::deliver
