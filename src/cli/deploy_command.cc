#include <fmt/format.h>

#include <chrono>

#include "cli/build_session.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/open_image.hh"
#include "cli/open_receiver.hh"
#include "cli/rollout_report.hh"
#include "cli/ship_report.hh"
#include "deliver/receiver/ship.hh"
#include "deliver/rollout/rollout.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"

namespace veneer::cli {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

struct Wanted {
  std::string image;
  std::vector<std::string> hosts;
};
Wanted read_wanted(const Arguments& arguments) {
  Wanted wanted;
  for (const std::string& given : arguments.values("IMAGE-OR-HOST")) {
    if (names_a_host(given)) {
      wanted.hosts.push_back(given);
    } else if (wanted.image.empty()) {
      wanted.image = given;
    } else {
      throw Error(ErrorKind::usage,
                  fmt::format("'{}' and '{}' are two images", printable(wanted.image), printable(given)));
    }
  }
  if (wanted.hosts.empty()) throw Error(ErrorKind::usage, "name a host", "such as ssh://root@plant.example");
  return wanted;
}

std::string label_of(const image::SealedImage& sealed, std::string_view name) {
  return sealed.image.config.run.table_or_empty("Labels").string_or(name, "");
}

// What deploying to one host came to.
struct Deployed {
  std::string host;
  std::optional<deliver::ShipResult> shipped;
  std::optional<deliver::RolloutResult> rollout;
  std::optional<Error> error;
  double ship_seconds = 0;
  double restart_seconds = 0;

  bool is_well() const { return rollout && rollout->outcome == deliver::RolloutResult::Outcome::well; }
};

class Deployment {
 public:
  Deployment(const Arguments& arguments, Context& context) : arguments_(arguments), context_(context) {}

  int run() {
    const Wanted wanted = read_wanted(arguments_);
    const Clock::time_point start = Clock::now();
    std::string image = wanted.image;
    if (image.empty()) {
      image = build_into_store(arguments_, context_);
      build_seconds_ = seconds_since(start);
    }
    const OpenedImage opened = open_image(image, context_);
    const std::string live = arguments_.value_or("--as", live_name_for(opened.name));
    for (const std::string& host : wanted.hosts) {
      results_.push_back(deploy_to(host, opened, live));
      if (!results_.back().is_well() && !arguments_.has("--dry-run")) break;
    }
    if (arguments_.has("--dry-run")) return results_.back().error ? fail(*results_.back().error) : 0;
    report(wanted.hosts.size());
    const Deployed& last = results_.back();
    if (last.error) return fail(*last.error);
    if (last.is_well()) return 0;
    return exit_code(last.rollout->outcome == deliver::RolloutResult::Outcome::back ? ErrorKind::rolled_back
                                                                                    : ErrorKind::failed);
  }

 private:
  // The version changes from release to release, the name in a compose file does not.
  static std::string live_name_for(const std::string& name) {
    if (name.starts_with("oci:") || name.starts_with("docker-archive:")) {
      throw Error(ErrorKind::usage, "this image needs a name on the host",
                  "give it the one of the compose file by --as NAME:TAG");
    }
    return name.substr(0, name.rfind(':')) + ":latest";
  }

  int fail(const Error& error) const {
    context_.terminal().error(error.what(), error.hint());
    return exit_code(error.kind());
  }

  Deployed deploy_to(const std::string& host, const OpenedImage& opened, const std::string& live) {
    Deployed deployed{host, {}, {}, {}, 0, 0};
    try {
      const OpenedReceiver receiver = open_receiver(host, arguments_, context_);
      if (!receiver.session) {
        throw Error(ErrorKind::usage, fmt::format("{} is no host that services can be restarted on", printable(host)),
                    "deploy needs ssh://[user@]host; for an engine here: veneer ship, then docker compose up --detach");
      }
      deliver::ShipRequest request;
      request.live_name = deliver::parse_engine_name(live);
      request.line = receiver.line;
      request.naming = deliver::Naming::unique_only;
      if (arguments_.has("--no-splice")) request.splice = deliver::SpliceChoice::never;
      if (const auto bytes = arguments_.value("--max-bytes")) request.most_bytes = read_size(*bytes);
      if (const auto seconds = arguments_.number("--max-seconds")) {
        if (!arguments_.has("--line")) {
          throw Error(ErrorKind::usage, "--max-seconds needs --line", "such as --line 1Mbit");
        }
        request.most_seconds = static_cast<double>(*seconds);
      }
      if (arguments_.has("--dry-run")) {
        ship_and_report(opened, *receiver.receiver, request, arguments_, context_);
        return deployed;
      }
      const Clock::time_point start = Clock::now();
      const deliver::OnEvent on_event = [&](const deliver::Event& event) { show(event, context_.terminal()); };
      deployed.shipped = deliver::ship(opened.sealed, *opened.blobs, *receiver.receiver, request, on_event);
      deployed.ship_seconds = seconds_since(start);
      const Clock::time_point restarting = Clock::now();
      deployed.rollout = deliver::roll_out(*receiver.session, rollout_request(opened, deployed),
                                           [&](const std::string& phase) { show_phase(phase, context_.terminal()); });
      deployed.restart_seconds = seconds_since(restarting);
    } catch (const Error& error) {
      deployed.error = error;
    }
    context_.terminal().clear_progress();
    return deployed;
  }

  deliver::RolloutRequest rollout_request(const OpenedImage& opened, const Deployed& deployed) const {
    deliver::RolloutRequest request = rollout_options(arguments_, context_);
    request.live_name = deployed.shipped->live_name;
    request.unique_name = deployed.shipped->unique_name;
    request.image_id = deployed.shipped->image_id;
    request.commit = label_of(opened.sealed, "org.opencontainers.image.revision").substr(0, 12);
    request.bytes = deployed.shipped->bytes_sent;
    request.seconds = build_seconds_ + deployed.ship_seconds;
    return request;
  }

  void report(std::size_t hosts) {
    if (arguments_.has("--json")) {
      Value::Array rows;
      for (const Deployed& deployed : results_) rows.push_back(to_value(deployed));
      Value document{Value::Table{}};
      document.set("build_seconds", build_seconds_);
      document.set("hosts", std::move(rows));
      document.set("not_begun", std::uint64_t{hosts - results_.size()});
      context_.print(to_pretty_json(document));
      return;
    }
    for (const Deployed& deployed : results_) {
      if (deployed.error) continue;  // said as the command's error
      context_.print(text_of(deployed));
    }
    if (results_.size() < hosts) {
      context_.terminal().warning(fmt::format("{} hosts were not begun", hosts - results_.size()));
    }
  }

  std::string text_of(const Deployed& deployed) const {
    std::string phases;
    if (build_seconds_ > 0) phases += fmt::format("build {}, ", human_duration(build_seconds_));
    phases += fmt::format("ship {} ({} sent, {} round trips), restart and health {}",
                          human_duration(deployed.ship_seconds), human_size(deployed.shipped->bytes_sent),
                          deployed.shipped->round_trips, human_duration(deployed.restart_seconds));
    return fmt::format("{}: {}\n  {}\n", printable(deployed.host), outcome_text(*deployed.rollout), phases);
  }

  Value to_value(const Deployed& deployed) const {
    Value value{Value::Table{}};
    value.set("host", deployed.host);
    if (deployed.error) {
      value.set("outcome", "error");
      value.set("error", deployed.error->what());
      return value;
    }
    add_to(value, *deployed.rollout);
    value.set("name", deployed.shipped->live_name.familiar());
    value.set("unique_name", deployed.shipped->unique_name.familiar());
    value.set("image_id", deployed.shipped->image_id);
    value.set("bytes_sent", deployed.shipped->bytes_sent);
    value.set("round_trips", deployed.shipped->round_trips);
    value.set("ship_seconds", deployed.ship_seconds);
    value.set("restart_seconds", deployed.restart_seconds);
    return value;
  }

  const Arguments& arguments_;
  Context& context_;
  double build_seconds_ = 0;
  std::vector<Deployed> results_;
};

int run(const Arguments& arguments, Context& context) { return Deployment(arguments, context).run(); }

}  // namespace

Command deploy_command() {
  std::vector<Option> options = rollout_option_list();
  options.push_back(
      {"--as", "NAME", "the live name, that of the compose file (default: the image's name with :latest)"});
  options.push_back(
      {"--before", "COMMAND", "run it in a container of the new image first; when it fails nothing restarts"});
  options.push_back({"--max-bytes", "SIZE", "send nothing when more would travel, such as 2MB"});
  options.push_back({"--max-seconds", "N", "send nothing when it would take longer on the --line"});
  options.push_back({"--dry-run", "", "show what would travel and why; change nothing"});
  for (Option& option : host_options()) options.push_back(std::move(option));
  options.push_back({"--json", "", "print JSON"});
  return {
      .name = "deploy",
      .summary = "build, ship, restart, and go back unless it is healthy",
      .description =
          "Builds the project (unless an IMAGE is named), ships what the host lacks, moves the live name, restarts "
          "every "
          "compose service that uses it, and waits until all are healthy. If they are not, the name moves back, the "
          "old "
          "image serves again, and the exit code is 7.\n\n"
          "The services are found by the containers that run there, with the compose files they were started with; "
          "--compose names others, --restart-with a command instead. A service with a health check must become "
          "healthy, "
          "one without must run for --settle seconds. Each deploy is remembered on the host (veneer history) and its "
          "image is held there, so that veneer rollback sends nothing. Several hosts are done one after the other; the "
          "first that fails is the last.",
      .positionals = {{"IMAGE-OR-HOST",
                       "HOST: ssh://[user@]host[:port]; IMAGE: as for ship (default: build the project here)",
                       Positional::Need::many}},
      .options = std::move(options),
      .examples = {{"veneer deploy ssh://root@plant.example", "the edit in this folder, live there"},
                   {"veneer deploy ssh://plant --as shop:live --before 'python manage.py migrate'",
                    "after a migration"},
                   {"veneer deploy ssh://plant --max-bytes 2MB", "not when a dependency changed"},
                   {"veneer deploy shop:1.2.0 ssh://one ssh://two", "the same release on two hosts"}},
      .run = run};
}

}  // namespace veneer::cli
