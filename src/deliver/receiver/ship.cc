#include "deliver/receiver/ship.hh"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "deliver/receiver/engine_answers.hh"
#include "deliver/receiver/generated_source.hh"
#include "foundation/error.hh"
#include "foundation/fail_point.hh"
#include "image/media/archive_writer.hh"

namespace veneer::deliver {

namespace {

// Passes on, counts, and tells.
class CountedSource : public ByteSource {
 public:
  CountedSource(ByteSource& next, std::uint64_t total, std::function<void(std::uint64_t)> on_progress)
      : next_(next), total_(total), on_progress_(std::move(on_progress)) {}
  std::size_t read(std::span<std::byte> into) override {
    const std::size_t count = next_.read(into);
    count_ += count;
    if (count > 0) on_progress_(count_);
    return count;
  }
  std::uint64_t count() const { return count_; }
  bool is_complete() const { return count_ == total_; }

 private:
  ByteSource& next_;
  std::uint64_t total_;
  std::uint64_t count_ = 0;
  std::function<void(std::uint64_t)> on_progress_;
};

class Shipment {
 public:
  Shipment(const image::SealedImage& sealed, const image::Blobs& blobs, DockerEngine& engine,
           const ShipRequest& request, const OnEvent& on_event)
      : sealed_(sealed), blobs_(blobs), engine_(engine), request_(request), on_event_(on_event) {
    result_.live_name = request.live_name;
    result_.unique_name = unique_name_of(request.live_name, sealed);
  }

  ShipResult run() {
    const int requests_before = engine_.requests();
    tell(Event::Kind::asking);
    result_.inventory = engine_.inventory(request_.live_name);
    result_.image_id = "sha256:" + image_id_on(result_.inventory.kind, sealed_).hex();
    refuse_foreign_unique_name();
    result_.plan = deliver(sealed_, result_.inventory, request_.line, options());
    tell(Event::Kind::planned, result_.plan.why);

    std::optional<Problem> problem = guarded([&] { return carry_out(); });
    if (problem && problem->kind == Problem::Kind::incomplete && leaves_something_out()) {
      tell(Event::Kind::sending_whole, problem->text);
      result_.sent_whole_after_all = true;
      result_.plan = deliver_whole(sealed_, result_.inventory, request_.line, options(),
                                   fmt::format("the host lacked something after all: {}", problem->text));
      problem = guarded([&] { return carry_out(); });
    }
    if (problem) {
      clean_up_quietly();
      throw Error(ErrorKind::verification,
                  fmt::format("{} {} did not take the image: {}", result_.inventory.engine.name,
                              result_.inventory.engine.version, problem->text),
                  fmt::format("{} stands for what it did before", result_.live_name.familiar()));
    }
    move_live_name();
    result_.requests = engine_.requests() - requests_before;
    return std::move(result_);
  }

 private:
  void tell(Event::Kind kind, std::string text = {}, std::uint64_t bytes = 0, std::uint64_t total = 0) const {
    if (on_event_) on_event_({kind, std::move(text), bytes, total});
  }

  DeliveryOptions options() const { return {{result_.unique_name.reference()}, {}}; }

  const KnownImage* holder_of(const EngineName& name) const {
    const std::string full = name.full();
    const auto& images = result_.inventory.images;
    const auto found = std::ranges::find_if(
        images, [&](const KnownImage& image) { return std::ranges::find(image.names, full) != image.names.end(); });
    return found == images.end() ? nullptr : &*found;
  }

  // Loading over it would take the name from somebody's image, and on some engines the image too.
  void refuse_foreign_unique_name() const {
    const KnownImage* holder = holder_of(result_.unique_name);
    if (holder != nullptr && "sha256:" + holder->id.hex() != result_.image_id) {
      throw Error(
          ErrorKind::refused,
          fmt::format("{} on the host stands for another image ({})", result_.unique_name.familiar(), holder->id.hex()),
          "veneer names images so when it loads them; give that image another name and remove this one");
    }
  }

  // Loads and verifies; what went wrong, in the engine's words or ours.
  std::optional<Problem> carry_out() {
    if (result_.plan.work == Work::load) {
      if (auto problem = load()) return problem;
    } else if (holder_of(result_.unique_name) == nullptr) {
      try {
        engine_.tag(result_.image_id, result_.unique_name);
      } catch (const Error& error) {
        return Problem{Problem::Kind::incomplete, error.message()};
      }
    }
    fail_point("ship.loaded");
    tell(Event::Kind::verifying);
    return engine_.verify(result_.unique_name, sealed_, result_.inventory);
  }

  std::optional<Problem> load() {
    const DeliveryPlan& plan = result_.plan;
    const image::SealedImage sent = image_as_sent(sealed_, plan);
    const std::set<BlobDigest> included = blobs_to_send(plan);
    const std::vector<image::Reference> names{result_.unique_name.reference()};
    for (const BlobDigest& blob : included) {
      if (!blobs_.contains(blob)) {
        throw Error(ErrorKind::not_found, fmt::format("the layer {} must travel and is not here", blob.text()),
                    "build or pull the image again");
      }
    }
    GeneratedSource archive([&](ByteSink& sink) { image::write_archive(sink, sent, blobs_, names, included); });
    CountedSource counted(archive, plan.bytes, [&](std::uint64_t count) {
      tell(Event::Kind::sending, {}, count, plan.bytes);
      if (count == plan.bytes) tell(Event::Kind::working);
    });
    std::optional<Problem> problem;
    try {
      problem = engine_.load(counted, plan.bytes);
    } catch (...) {
      result_.bytes_sent += counted.count();
      throw;
    }
    result_.bytes_sent += counted.count();
    if (!problem && !counted.is_complete())
      return Problem{Problem::Kind::other, "the engine did not read the whole archive"};
    return problem;
  }

  bool leaves_something_out() const {
    return std::ranges::any_of(result_.plan.steps, [](const Step& step) { return step.action != Action::send; });
  }

  template <typename Function>
  std::optional<Problem> guarded(Function&& function) {
    try {
      return function();
    } catch (const Error&) {
      clean_up_quietly();
      throw;
    }
  }

  void clean_up_quietly() {
    try {
      clean_up();
    } catch (const Error&) {
      // What went wrong before is what matters; a name that is left is taken up by the next ship.
    }
  }

  // Only what this shipment made: a name that was there before stays, and so does an image that would go with its name.
  void clean_up() {
    if (holder_of(result_.unique_name) != nullptr) return;
    const KnownImage* before = find_same_image(result_.inventory, sealed_);
    if (before != nullptr && before->names.empty()) return;
    tell(Event::Kind::cleaning_up, result_.unique_name.familiar());
    engine_.remove_name(result_.unique_name);
  }

  void move_live_name() {
    fail_point("ship.verified");
    tell(Event::Kind::naming, result_.live_name.familiar());
    engine_.tag(result_.unique_name.full(), result_.live_name);
    fail_point("ship.named");
  }

  const image::SealedImage& sealed_;
  const image::Blobs& blobs_;
  DockerEngine& engine_;
  const ShipRequest& request_;
  const OnEvent& on_event_;
  ShipResult result_;
};

}  // namespace

EngineName unique_name_of(const EngineName& live_name, const image::SealedImage& sealed) {
  return live_name.with_tag("veneer-" + sealed.manifest_digest.hex().substr(0, 12));
}

DeliveryPlan plan_shipment(const image::SealedImage& sealed, DockerEngine& engine, const ShipRequest& request) {
  const Inventory inventory = engine.inventory(request.live_name);
  return deliver(sealed, inventory, request.line, {{unique_name_of(request.live_name, sealed).reference()}, {}});
}

ShipResult ship(const image::SealedImage& sealed, const image::Blobs& blobs, DockerEngine& engine,
                const ShipRequest& request, const OnEvent& on_event) {
  return Shipment(sealed, blobs, engine, request, on_event).run();
}

}  // namespace veneer::deliver
