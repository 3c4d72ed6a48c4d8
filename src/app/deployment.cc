#include "app/deployment.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/fail_point.hh"
#include "foundation/parallel.hh"

namespace veneer::app {

namespace {

constexpr std::size_t most_asked_at_once = 16;

std::string label_of(const image::SealedImage& sealed, std::string_view name) {
  return sealed.image.config.run.table_or_empty("Labels").string_or(name, "");
}

// The phase that an event begins; nothing when it begins none.
std::string_view phase_of(deliver::Event::Kind kind) {
  using Kind = deliver::Event::Kind;
  switch (kind) {
    case Kind::connecting:
    case Kind::asking: return "ask";
    case Kind::sending: return "send";
    case Kind::working: return "load";
    case Kind::verifying: return "verify";
    default: return {};
  }
}

}  // namespace

void do_for(Deployed& host, const std::function<void()>& work) {
  try {
    work();
  } catch (...) {
    host.error = current_error();
    const ErrorKind kind = host.error->kind();
    const bool is_lost = host.stage == Deployed::Stage::begun ||
                         (host.stage == Deployed::Stage::asked && kind != ErrorKind::refused) ||
                         (host.stage == Deployed::Stage::sending && kind == ErrorKind::network);
    host.state = is_lost ? Deployed::State::lost : Deployed::State::refused;
  }
  host.timeline.end();
}

struct Deployment::Host {
  Deployed& result;
  OpenedReceiver opened;
  std::unique_ptr<deliver::Shipment> shipment;
  std::optional<deliver::AskedAhead> asked;
};

void check_can_restart(const HostRequest& host) {
  if (!host.address.starts_with("ssh://")) {
    throw Error(ErrorKind::usage,
                fmt::format("{} is no host that services can be restarted on", printable(host.address)),
                "deploy needs ssh://[user@]host; for an engine here: veneer ship, then docker compose up --detach");
  }
  check_host(host, host.address);
}

std::vector<DeployTarget> open_targets(const std::vector<HostRequest>& hosts, const Surroundings& surroundings) {
  std::vector<DeployTarget> targets;
  for (const HostRequest& host : hosts) {
    check_can_restart(host);
    targets.push_back({host.address, open_receiver(host, surroundings)});
  }
  return targets;
}

void connect_ahead(const std::vector<DeployTarget>& targets) {
  for (std::size_t i = 0; i < std::min(targets.size(), most_asked_at_once); ++i) targets[i].opened.session->begin();
}

Deployment::Deployment(const OpenedImage& image, DeployRequest request, std::vector<DeployTarget> targets,
                       double build_seconds, Surroundings& surroundings, OnDeployEvent on_event)
    : image_(image),
      request_(std::move(request)),
      build_seconds_(build_seconds),
      surroundings_(surroundings),
      on_event_(std::move(on_event)) {
  request_.ship.naming = deliver::Naming::unique_only;
  request_.rollout.who = surroundings.caller();
  results_.reserve(targets.size());
  for (DeployTarget& target : targets) {
    Deployed& result = results_.emplace_back();
    result.host = target.name;
    auto host = std::make_unique<Host>(Host{result, std::move(target.opened), nullptr});
    deliver::ShipRequest of_this_host = request_.ship;
    of_this_host.line = host->opened.line;
    Host& there = *host;
    host->shipment = std::make_unique<deliver::Shipment>(
        image_.sealed, *image_.blobs, *host->opened.receiver, std::move(of_this_host),
        [this, &there](const deliver::Event& event) { take(there, event); });
    hosts_.push_back(std::move(host));
  }
}

Deployment::~Deployment() = default;

void Deployment::tell(const DeployEvent& event) {
  const std::lock_guard lock(mutex_);
  if (!on_event_) return;
  try {
    on_event_(event);
  } catch (...) {
    // What cannot be told must not end a rollout.
    on_event_ = nullptr;
    surroundings_.messages().warning(fmt::format("no more events are told: {}", current_error().what()));
  }
}

void Deployment::take(Host& host, const deliver::Event& event) {
  using Kind = DeployEvent::Kind;
  tell({Kind::delivery, host.result, {}, &event});
  const std::string phase(phase_of(event.kind));
  if (phase.empty() || host.result.timeline.begin(phase) == Timeline::Begun::before) return;
  tell({Kind::phase, host.result, phase});
}

void Deployment::guard(Host& host, const std::function<void()>& action) {
  do_for(host.result, action);
  if (host.result.error) tell({DeployEvent::Kind::error, host.result});
}

void Deployment::plan_for(Host& host) {
  guard(host, [&] {
    if (host.opened.session && request_.gates == DeployRequest::Gates::checked) {
      host.opened.session->open();
      host.asked = deliver::ask_ahead(*host.opened.session, rollout_request_of_all());
    }
    host.result.plan = host.shipment->plan();
    tell({DeployEvent::Kind::planned, host.result});
    if (request_.gates == DeployRequest::Gates::checked) {
      host.shipment->check_gates();
      return;
    }
    for (const std::string& change : deliver::check_settings(*host.opened.session, rollout_request_of_all())) {
      surroundings_.messages().warning(fmt::format("{}: {}", printable(host.result.host), change));
    }
  });
}

void Deployment::plan() {
  parallel_for(hosts_.size(), most_asked_at_once, [&](std::size_t index) { plan_for(*hosts_[index]); });
  surroundings_.messages().clear_progress();
  for (const Deployed& result : results_) {
    if (!result.error || result.error->kind() != ErrorKind::gate) continue;
    if (results_.size() == 1) throw *result.error;
    throw Error(ErrorKind::gate, fmt::format("{}: {}", printable(result.host), result.error->message()),
                "nothing was sent to any host; " + result.error->hint());
  }
}

deliver::RolloutRequest Deployment::rollout_request_of_all() const {
  deliver::RolloutRequest request = request_.rollout;
  request.live_name = request_.ship.live_name;
  return request;
}

deliver::RolloutRequest Deployment::rollout_request(const Host& host) const {
  const deliver::ShipResult& shipped = host.result.shipped.value();
  deliver::RolloutRequest request = rollout_request_of_all();
  request.image_config = image_.sealed.image.config.run;
  request.unique_name = shipped.unique_name;
  request.image_id = shipped.image_id;
  request.commit = request_.commit.empty() ? label_of(image_.sealed, "org.opencontainers.image.revision").substr(0, 12)
                                           : request_.commit;
  request.bytes = shipped.bytes_sent;
  request.seconds = build_seconds_;
  for (const auto& [phase, seconds] : host.result.timeline.phases()) request.seconds += seconds;
  return request;
}

deliver::Verdict Deployment::deploy_to(Host& host) {
  guard(host, [&] {
    host.result.stage = Deployed::Stage::sending;
    host.result.shipped = host.shipment->carry_out();
    host.result.timeline.end();
    const auto begin = [&](const std::string& phase) {
      host.result.timeline.begin(phase);
      tell({DeployEvent::Kind::phase, host.result, phase});
      fail_point("deploy." + phase);
    };
    begin("prepare");
    host.result.stage = Deployed::Stage::asked;
    host.result.rollout = deliver::roll_out(
        *host.opened.session, rollout_request(host),
        [&](const std::string& phase) {
          if (deliver::changes_something(phase)) host.result.stage = Deployed::Stage::begun;
          begin(phase);
        },
        host.asked);
    host.result.state = Deployed::State::rolled_out;
  });
  if (host.result.rollout) tell({DeployEvent::Kind::finished, host.result});
  surroundings_.messages().clear_progress();
  // A host that is lost says nothing about the release, one on which the release is not well does.
  const bool is_about_the_release = host.result.rollout
                                        ? !host.result.is_well()
                                        : host.result.error && host.result.error->kind() == ErrorKind::verification;
  return is_about_the_release ? deliver::Verdict::stop : deliver::Verdict::go_on;
}

void Deployment::carry_out(const deliver::Waves& waves) {
  std::vector<Host*> ready;
  for (const auto& host : hosts_) {
    if (!host->result.error) ready.push_back(host.get());
  }
  deliver::in_waves(ready.size(), waves, [&](std::size_t index) { return deploy_to(*ready[index]); });
}

}  // namespace veneer::app
