#include <fmt/format.h>

#include <chrono>
#include <set>

#include "app/deployment.hh"
#include "app/write_image.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/deploy_report.hh"
#include "cli/host_options.hh"
#include "cli/rollout_options.hh"
#include "cli/ship_report.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"
#include "foundation/text.hh"
#include "foundation/units.hh"

namespace veneer::cli {

namespace {

constexpr std::uint64_t largest_list_of_hosts = 1 << 20;
constexpr std::uint64_t most_hosts = 100'000;

enum class Form { text, json, events };
enum class Extent { all, plan };

struct WantedDeploy {
  std::optional<app::WantedImage> image;  // none: it is built
  app::BuildRequest build;
  std::vector<app::HostRequest> hosts;
  std::optional<deliver::EngineName> live_name;
  app::DeployRequest deploy;
  deliver::Waves waves;
  Extent extent = Extent::all;
  Form form = Form::text;
};

struct ImageAndHosts {
  std::string image;
  std::vector<std::string> hosts;
};

void add_hosts_in(const std::string& file, std::vector<std::string>& hosts) {
  for (const std::string& line : split_words(read_text_file(file, largest_list_of_hosts), "\n")) {
    const std::string host(trimmed(line.substr(0, line.find('#'))));
    if (host.empty()) continue;
    if (!app::names_a_host(host)) {
      throw Error(ErrorKind::usage, fmt::format("{}: '{}' is no host", printable(file), printable(host, 100)),
                  "one a line, such as ssh://root@plant.example");
    }
    hosts.push_back(host);
  }
}

ImageAndHosts read_image_and_hosts(const Arguments& arguments) {
  ImageAndHosts read;
  for (const std::string& given : arguments.values("IMAGE-OR-HOST")) {
    if (app::names_a_host(given)) {
      read.hosts.push_back(given);
    } else if (read.image.empty()) {
      read.image = given;
    } else {
      throw Error(ErrorKind::usage,
                  fmt::format("'{}' and '{}' are two images", printable(read.image), printable(given)));
    }
  }
  if (const auto file = arguments.value("--hosts")) add_hosts_in(*file, read.hosts);
  if (read.hosts.empty()) throw Error(ErrorKind::usage, "name a host", "such as ssh://root@plant.example");
  std::set<std::string> seen;
  for (const std::string& host : read.hosts) {
    if (!seen.insert(host).second) throw Error(ErrorKind::usage, fmt::format("{} is named twice", printable(host)));
  }
  return read;
}

deliver::ShipRequest read_gates(const Arguments& arguments) {
  deliver::ShipRequest request;
  if (arguments.has("--no-splice")) request.splice = deliver::SpliceChoice::never;
  if (const auto bytes = arguments.value("--max-bytes")) request.most_bytes = read_size(*bytes);
  if (const auto seconds = arguments.number("--max-seconds")) {
    if (!arguments.has("--line")) throw Error(ErrorKind::usage, "--max-seconds needs --line", "such as --line 1Mbit");
    request.most_seconds = static_cast<double>(*seconds);
  }
  return request;
}

WantedDeploy read_wanted(const Arguments& arguments) {
  WantedDeploy wanted;
  const ImageAndHosts given = read_image_and_hosts(arguments);
  for (const std::string& host : given.hosts) {
    app::check_can_restart(wanted.hosts.emplace_back(read_host_request(host, arguments)));
  }
  wanted.live_name = read_live_name(arguments);
  if (!given.image.empty()) {
    wanted.image = app::parse_wanted_image(given.image);
    check_name({.live_name = wanted.live_name}, *wanted.image);
  }
  wanted.deploy.ship = read_gates(arguments);
  wanted.deploy.rollout = read_rollout_request(arguments);
  wanted.waves.canaries = arguments.number("--canary", 0, most_hosts).value_or(0);
  wanted.waves.parallel = arguments.number("--parallel", 1, most_hosts).value_or(1);
  if (arguments.has("--dry-run")) {
    wanted.extent = Extent::plan;
    wanted.deploy.gates = app::DeployRequest::Gates::ignored;
  }
  if (arguments.has("--json")) wanted.form = Form::json;
  if (arguments.has("--events")) wanted.form = Form::events;
  return wanted;
}

void print_plans(const std::vector<app::Deployed>& results, Form form, Context& context) {
  if (form == Form::text) {
    context.print(plans_text(results));
  } else if (const Value plans = plans_value(results); !plans.is_null()) {
    context.print(form == Form::json ? to_pretty_json(plans) : to_json(plans) + "\n");
  }
}

void print_results(const std::vector<app::Deployed>& results, double build_seconds, Form form, Context& context) {
  if (form == Form::text) {
    context.print(deploys_to_text(results, build_seconds));
    return;
  }
  Value document = deploys_to_value(results, build_seconds);
  if (form == Form::json) {
    context.print(to_pretty_json(document));
  } else {
    document.set("event", "end");
    context.print(to_json(document) + "\n");
  }
}

int fail_with_first(const std::vector<app::Deployed>& results, Context& context) {
  for (const app::Deployed& deployed : results) {
    if (exit_code_of(deployed) == 0) continue;
    if (deployed.error) context.terminal().error(deployed.error->what(), deployed.error->hint());
    return exit_code_of(deployed);
  }
  return 0;
}

int deploy(WantedDeploy wanted, Context& context) {
  std::vector<app::DeployTarget> targets = app::open_targets(wanted.hosts, context);
  const bool is_one = targets.size() == 1;
  const auto start = std::chrono::steady_clock::now();
  double build_seconds = 0;
  const auto build = [&] {
    app::connect_ahead(targets);
    app::StoredImage built = app::build_into_store(wanted.build, context);
    build_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    wanted.deploy.commit = std::move(built.commit);
    return std::move(built.image);
  };
  const app::OpenedImage opened = wanted.image ? app::open_image(*wanted.image, context) : build();
  // The version changes from release to release, the name in a compose file does not.
  wanted.deploy.ship.live_name =
      wanted.live_name ? *wanted.live_name : name_for(opened, std::nullopt).with_tag("latest");
  const auto on_event = [&](const app::DeployEvent& event) {
    show(event, context.terminal(), is_one ? "" : printable(event.host.host) + ": ");
    if (wanted.form != Form::events) return;
    if (const Value document = event_to_value(event); !document.is_null()) context.print(to_json(document) + "\n");
  };
  app::Deployment deployment(opened, wanted.deploy, std::move(targets), build_seconds, context, on_event);
  deployment.plan();
  if (wanted.extent == Extent::plan) {
    print_plans(deployment.results(), wanted.form, context);
  } else {
    deployment.carry_out(wanted.waves);
    print_results(deployment.results(), build_seconds, wanted.form, context);
  }
  return fail_with_first(deployment.results(), context);
}

Action parse_deploy(const Arguments& arguments) {
  const WantedDeploy wanted = read_wanted(arguments);
  return [wanted](Context& context) { return deploy(wanted, context); };
}

}  // namespace

Command deploy_command() {
  std::vector<Option> options = rollout_options();
  options.push_back(
      {"--as", "NAME", "the live name, that of the compose file (default: the image's name with :latest)"});
  options.push_back(
      {"--before", "COMMAND", "run it in a container of the new image first; when it fails nothing restarts"});
  options.push_back({"--after", "COMMAND", "the same when the services are well; when it fails they go back"});
  options.push_back({"--max-bytes", "SIZE", "send nothing when more would travel, such as 2MB"});
  options.push_back({"--max-seconds", "N", "send nothing when it would take longer on the --line"});
  options.push_back({"--hosts", "FILE", "hosts to deploy to, one a line; # begins a comment"});
  options.push_back({"--canary", "N", "do the first N hosts, and go on only when all of them are well"});
  options.push_back({"--parallel", "N", "hosts at a time (default: 1); all are asked at once in any case"});
  options.push_back({"--dry-run", "", "show what would travel and why; change nothing"});
  for (Option& option : host_options()) options.push_back(std::move(option));
  options.push_back({"--json", "", "print JSON at the end"});
  options.push_back({"--events", "", "print a line of JSON for each thing that happens, the last is that of --json"});
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
          "one without must run for --settle seconds and listen where the one before it listened. Each deploy is "
          "remembered on the host (veneer history) and its "
          "image is held there, so that veneer rollback sends nothing.\n\n"
          "Several hosts are all asked first, each gets what it lacks, then they are done --parallel at a time. When "
          "the "
          "release is not well on one of them, no other is begun; a host that cannot be reached does not keep the "
          "others from going on. The exit code is that of the first that is not well.",
      .positionals = {{"IMAGE-OR-HOST",
                       "HOST: ssh://[user@]host[:port]; IMAGE: as for ship (default: build the project here)",
                       Positional::Need::many}},
      .options = std::move(options),
      .examples = {{"veneer deploy ssh://root@plant.example", "the edit in this folder, live there"},
                   {"veneer deploy ssh://plant --as shop:live --before 'python manage.py migrate'",
                    "after a migration"},
                   {"veneer deploy ssh://plant --keep 3 --keep-failed 0",
                    "fewer old images stay, and none of a release that was not well"},
                   {"veneer deploy ssh://plant --max-bytes 2MB", "not when a dependency changed"},
                   {"veneer deploy shop:1.2.0 --hosts sites.txt --canary 1 --parallel 4",
                    "the same release on many hosts"}},
      .parse = parse_deploy};
}

}  // namespace veneer::cli
