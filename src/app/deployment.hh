// One image to many hosts: all are asked first, then they are done in waves, each gets what it lacks. One thread; it
// starts more, one a host at most.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "app/open_image.hh"
#include "app/open_receiver.hh"
#include "app/surroundings.hh"
#include "app/timeline.hh"
#include "deliver/receiver/ship.hh"
#include "deliver/rollout/rollout.hh"
#include "deliver/rollout/waves.hh"
#include "foundation/error.hh"

namespace veneer::app {

/// What deploying to one host came to.
struct Deployed {
  std::string host;
  enum class State {
    not_begun,  // an earlier one was not well
    refused,    // before anything changed there; see `error`
    lost,       // on the way: nobody knows how it ended there; see `error`
    rolled_out  // see `rollout`
  } state = State::not_begun;
  enum class Stage {
    asking,   // changes nothing
    sending,  // leaves the services and their image alone
    asked,    // to roll out: it may have begun
    begun     // it has
  } stage = Stage::asking;
  std::optional<deliver::DeliveryPlan> plan;
  std::optional<deliver::ShipResult> shipped;
  std::optional<deliver::RolloutResult> rollout;
  std::optional<Error> error;
  Timeline timeline;

  bool is_well() const { return rollout && rollout->outcome == deliver::RolloutResult::Outcome::well; }
};

/// Does something for one host. Nothing that `work` throws comes out: it becomes the host's `error` and, by the stage
/// that was reached, its state.
void do_for(Deployed& host, const std::function<void()>& work);

/// Something that happened on the way to one host.
struct DeployEvent {
  enum class Kind {
    delivery,  // see `delivery`
    phase,     // one began; see `phase`
    planned,   // see the host's plan
    error,     // see the host's error
    finished   // see the host's rollout
  };
  Kind kind;
  const Deployed& host;
  std::string phase = {};
  const deliver::Event* delivery = nullptr;
};
using OnDeployEvent = std::function<void(const DeployEvent&)>;

struct DeployRequest {
  deliver::ShipRequest ship;        // without the line, which is each host's own
  deliver::RolloutRequest rollout;  // what users choose of it
  std::string commit;               // that the image was built of; empty: what the image says
  enum class Gates { checked, ignored } gates = Gates::checked;
};

struct DeployTarget {
  std::string name;  // as it was given
  OpenedReceiver opened;
};

/// Throws Error (usage) for a host on which services cannot be restarted.
void check_can_restart(const HostRequest& host);

/// Does not connect. Throws Error (usage).
std::vector<DeployTarget> open_targets(const std::vector<HostRequest>& hosts, const Surroundings& surroundings);

/// Begins to connect to the first of them, so that it is done when the image is.
void connect_ahead(const std::vector<DeployTarget>& targets);

class Deployment {
 public:
  /// `build_seconds`: what building the image took, for the history. `on_event` may be empty; when it throws, that is
  /// said and it is not called again. All must outlive it.
  Deployment(const OpenedImage& image, DeployRequest request, std::vector<DeployTarget> targets, double build_seconds,
             Surroundings& surroundings, OnDeployEvent on_event);
  ~Deployment();

  /// Asks all hosts at once and plans. A host that cannot be reached or refuses is marked so. Throws Error
  /// (gate) when any of them would cost more than is allowed.
  void plan();
  /// Ships and rolls out where plan() went well. A release that is not well on one host is the last that is begun; a
  /// host that is lost does not keep the others from going on, whatever went wrong there.
  void carry_out(const deliver::Waves& waves);

  const std::vector<Deployed>& results() const { return results_; }

 private:
  struct Host;

  void plan_for(Host& host);
  deliver::Verdict deploy_to(Host& host);
  void guard(Host& host, const std::function<void()>& action);
  void take(Host& host, const deliver::Event& event);
  void tell(const DeployEvent& event);
  deliver::RolloutRequest rollout_request_of_all() const;  // the image not known yet
  deliver::RolloutRequest rollout_request(const Host& host) const;

  const OpenedImage& image_;
  DeployRequest request_;
  double build_seconds_;
  Surroundings& surroundings_;
  OnDeployEvent on_event_;
  std::mutex mutex_;  // of on_event_
  std::vector<Deployed> results_;
  std::vector<std::unique_ptr<Host>> hosts_;
};

}  // namespace veneer::app
