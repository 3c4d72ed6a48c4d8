#include "cli/deployment.hh"

#include <fmt/format.h>

#include <algorithm>

#include "cli/rollout_report.hh"
#include "cli/ship_report.hh"
#include "foundation/fail_point.hh"
#include "foundation/parallel.hh"

namespace veneer::cli {

namespace {

constexpr std::size_t most_asked_at_once = 16;

std::string label_of(const image::SealedImage& sealed, std::string_view name) {
  return sealed.image.config.run.table_or_empty("Labels").string_or(name, "");
}

deliver::ShipRequest ship_request(deliver::EngineName live_name, const Arguments& arguments) {
  deliver::ShipRequest request;
  request.live_name = std::move(live_name);
  request.naming = deliver::Naming::unique_only;
  if (arguments.has("--no-splice")) request.splice = deliver::SpliceChoice::never;
  if (const auto bytes = arguments.value("--max-bytes")) request.most_bytes = read_size(*bytes);
  if (const auto seconds = arguments.number("--max-seconds")) {
    if (!arguments.has("--line")) throw Error(ErrorKind::usage, "--max-seconds needs --line", "such as --line 1Mbit");
    request.most_seconds = static_cast<double>(*seconds);
  }
  return request;
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
  std::string shown;  // before what is said of it; empty when it is the only one
};

std::vector<DeployTarget> open_targets(const std::vector<std::string>& names, const Arguments& arguments,
                                       Context& context) {
  std::vector<DeployTarget> targets;
  for (const std::string& name : names) {
    const DeployTarget& target = targets.emplace_back(name, open_receiver(name, arguments, context));
    if (!target.opened.session) {
      throw Error(ErrorKind::usage, fmt::format("{} is no host that services can be restarted on", printable(name)),
                  "deploy needs ssh://[user@]host; for an engine here: veneer ship, then docker compose up --detach");
    }
  }
  return targets;
}

void connect_ahead(const std::vector<DeployTarget>& targets) {
  for (std::size_t i = 0; i < std::min(targets.size(), most_asked_at_once); ++i) targets[i].opened.session->begin();
}

Deployment::Deployment(const OpenedImage& image, deliver::EngineName live_name, std::vector<DeployTarget> targets,
                       double build_seconds, const Arguments& arguments, Context& context, OnDeployEvent on_event)
    : image_(image),
      build_seconds_(build_seconds),
      arguments_(arguments),
      context_(context),
      on_event_(std::move(on_event)) {
  results_.reserve(targets.size());
  const deliver::ShipRequest request = ship_request(std::move(live_name), arguments_);
  for (DeployTarget& target : targets) {
    Deployed& result = results_.emplace_back();
    result.host = target.name;
    auto host = std::make_unique<Host>(Host{result, std::move(target.opened), nullptr, {}});
    if (targets.size() > 1) host->shown = printable(target.name) + ": ";
    deliver::ShipRequest of_this_host = request;
    of_this_host.line = host->opened.line;
    Host& there = *host;
    host->shipment = std::make_unique<deliver::Shipment>(
        image_.sealed, *image_.blobs, *host->opened.receiver, std::move(of_this_host),
        [this, &there](const deliver::Event& event) { take(there, event); });
    hosts_.push_back(std::move(host));
  }
}

Deployment::~Deployment() = default;

void Deployment::emit(const std::string& name, const Host& host, Value fields) {
  const std::lock_guard lock(mutex_);
  if (!on_event_) return;
  Value document{Value::Table{}};
  document.set("event", name);
  document.set("host", host.result.host);
  for (auto& [key, value] : fields.table()) document.set(key, std::move(value));
  try {
    on_event_(document);
  } catch (...) {
    // What cannot be told must not end a rollout.
    on_event_ = nullptr;
    context_.terminal().warning(fmt::format("no more events are told: {}", current_error().what()));
  }
}

void Deployment::take(Host& host, const deliver::Event& event) {
  using Kind = deliver::Event::Kind;
  show(event, context_.terminal(), host.shown);
  const std::string phase(phase_of(event.kind));
  const bool is_first = !phase.empty() && host.result.timeline.begin(phase) == Timeline::Begun::now;
  if (is_first) emit("phase", host, Value::Table{{"phase", phase}});
  if (event.kind == Kind::reconnecting) emit("reconnecting", host, Value::Table{{"why", printable(event.text)}});
  if (event.kind == Kind::sending_whole) emit("sending_whole", host, Value::Table{{"why", printable(event.text)}});
}

void Deployment::guard(Host& host, const std::function<void()>& action) {
  do_for(host.result, action);
  if (host.result.error) emit("error", host, Value::Table{{"error", host.result.error->what()}});
}

void Deployment::plan_for(Host& host) {
  guard(host, [&] {
    const deliver::DeliveryPlan& plan = host.shipment->plan();
    host.result.plan = plan;
    emit("planned", host, Value::Table{{"bytes", plan.bytes}, {"why", plan.why}});
    if (!arguments_.has("--dry-run")) host.shipment->check_gates();
  });
}

void Deployment::plan() {
  parallel_for(hosts_.size(), most_asked_at_once, [&](std::size_t index) { plan_for(*hosts_[index]); });
  context_.terminal().clear_progress();
  for (const Deployed& result : results_) {
    if (!result.error || result.error->kind() != ErrorKind::gate) continue;
    if (results_.size() == 1) throw *result.error;
    throw Error(ErrorKind::gate, fmt::format("{}: {}", printable(result.host), result.error->message()),
                "nothing was sent to any host; " + result.error->hint());
  }
}

deliver::RolloutRequest Deployment::rollout_request(const Host& host) const {
  const deliver::ShipResult& shipped = host.result.shipped.value();
  deliver::RolloutRequest request = rollout_options(arguments_, context_);
  request.live_name = shipped.live_name;
  request.unique_name = shipped.unique_name;
  request.image_id = shipped.image_id;
  request.commit = label_of(image_.sealed, "org.opencontainers.image.revision").substr(0, 12);
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
      show_phase(phase, context_.terminal(), host.shown);
      host.result.timeline.begin(phase);
      emit("phase", host, Value::Table{{"phase", phase}});
      fail_point("deploy." + phase);
    };
    begin("prepare");
    host.result.stage = Deployed::Stage::asked;
    host.result.rollout = deliver::roll_out(*host.opened.session, rollout_request(host), [&](const std::string& phase) {
      if (deliver::changes_something(phase)) host.result.stage = Deployed::Stage::begun;
      begin(phase);
    });
    host.result.state = Deployed::State::rolled_out;
  });
  if (host.result.rollout) {
    Value fields{Value::Table{}};
    add_to(fields, *host.result.rollout);
    emit("finished", host, std::move(fields));
  }
  context_.terminal().clear_progress();
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

}  // namespace veneer::cli
