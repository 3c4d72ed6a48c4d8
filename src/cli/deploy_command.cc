#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "cli/build_session.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/deployment.hh"
#include "cli/open_image.hh"
#include "cli/open_receiver.hh"
#include "cli/rollout_report.hh"
#include "cli/ship_report.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"
#include "foundation/text.hh"

namespace veneer::cli {

namespace {

constexpr std::uint64_t largest_list_of_hosts = 1 << 20;

struct Wanted {
  std::string image;
  std::vector<std::string> hosts;
};

void add_hosts_in(const std::string& file, std::vector<std::string>& hosts) {
  for (const std::string& line : split_words(read_text_file(file, largest_list_of_hosts), "\n")) {
    const std::string host(trimmed(line.substr(0, line.find('#'))));
    if (host.empty()) continue;
    if (!names_a_host(host)) {
      throw Error(ErrorKind::usage, fmt::format("{}: '{}' is no host", printable(file), printable(host, 100)),
                  "one a line, such as ssh://root@plant.example");
    }
    hosts.push_back(host);
  }
}

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
  if (const auto file = arguments.value("--hosts")) add_hosts_in(*file, wanted.hosts);
  if (wanted.hosts.empty()) throw Error(ErrorKind::usage, "name a host", "such as ssh://root@plant.example");
  std::set<std::string> seen;
  for (const std::string& host : wanted.hosts) {
    if (!seen.insert(host).second) throw Error(ErrorKind::usage, fmt::format("{} is named twice", printable(host)));
  }
  return wanted;
}

deliver::Waves waves_of(const Arguments& arguments) {
  deliver::Waves waves;
  waves.canaries = arguments.number("--canary").value_or(0);
  waves.parallel = arguments.number("--parallel").value_or(1);
  if (waves.parallel == 0) throw Error(ErrorKind::usage, "--parallel 0: none at a time?");
  return waves;
}

std::string state_name(const Deployed& deployed) {
  switch (deployed.state) {
    case Deployed::State::not_begun: return "not begun";
    case Deployed::State::refused: return "untouched";
    case Deployed::State::lost: return "lost";
    case Deployed::State::rolled_out: return std::string(outcome_name(deployed.rollout->outcome));
  }
  return {};
}

int exit_code_of(const Deployed& deployed) {
  if (deployed.error) return exit_code(deployed.error->kind());
  if (!deployed.rollout || deployed.is_well()) return 0;
  return exit_code(deployed.rollout->outcome == deliver::RolloutResult::Outcome::back ? ErrorKind::rolled_back
                                                                                      : ErrorKind::failed);
}

double seconds_of(const Deployed& deployed, std::initializer_list<std::string_view> phases) {
  double sum = 0;
  for (const auto& [phase, seconds] : deployed.timeline.phases()) {
    if (std::ranges::find(phases, phase) != phases.end()) sum += seconds;
  }
  return sum;
}
double ship_seconds(const Deployed& deployed) { return seconds_of(deployed, {"ask", "send", "load", "verify"}); }
double restart_seconds(const Deployed& deployed) {
  return seconds_of(deployed, {"prepare", "waiting", "before", "restart", "health", "after", "stop", "back"});
}

std::string timeline_text(const Deployed& deployed, double build_seconds) {
  std::string text;
  double sum = build_seconds;
  if (build_seconds > 0) text += fmt::format("build {}, ", human_duration(build_seconds));
  for (const auto& [phase, seconds] : deployed.timeline.phases()) {
    text += fmt::format("{} {}, ", phase, human_duration(seconds));
    sum += seconds;
  }
  return text + fmt::format("in all {}", human_duration(sum));
}

std::string text_of_one(const Deployed& deployed, double build_seconds) {
  if (!deployed.rollout) return {};  // said as the command's error
  return fmt::format("{}: {}\n  {} sent, {} round trips; {}\n", printable(deployed.host),
                     outcome_text(*deployed.rollout), human_size(deployed.shipped->bytes_sent),
                     deployed.shipped->round_trips, timeline_text(deployed, build_seconds));
}

std::string text_of_many(const std::vector<Deployed>& results) {
  Table table({"host", "outcome", "sent", "ship", "restart", "release"}, {2, 3, 4, 5});
  std::string reasons;
  for (const Deployed& deployed : results) {
    table.add({printable(deployed.host), state_name(deployed),
               deployed.shipped ? human_size(deployed.shipped->bytes_sent) : "",
               deployed.shipped ? human_duration(ship_seconds(deployed)) : "",
               deployed.rollout ? human_duration(restart_seconds(deployed)) : "",
               deployed.rollout ? fmt::format("{}", deployed.rollout->revision) : ""});
    if (deployed.error) reasons += fmt::format("{}: {}\n", printable(deployed.host), deployed.error->what());
    if (deployed.rollout && !(deployed.is_well() && deployed.rollout->notes.empty()))
      reasons += fmt::format("{}: {}\n", printable(deployed.host), outcome_text(*deployed.rollout));
  }
  return table.text() + (reasons.empty() ? "" : "\n" + reasons);
}

Value to_value(const Deployed& deployed) {
  Value value{Value::Table{}};
  value.set("host", deployed.host);
  value.set("state", state_name(deployed));
  if (deployed.error) {
    value.set("outcome", "error");
    value.set("error", deployed.error->what());
    value.set("exit_code", std::int64_t{exit_code_of(deployed)});
  }
  if (deployed.rollout) add_to(value, *deployed.rollout);
  if (deployed.shipped) {
    value.set("name", deployed.shipped->live_name.familiar());
    value.set("unique_name", deployed.shipped->unique_name.familiar());
    value.set("image_id", deployed.shipped->image_id);
    value.set("bytes_sent", deployed.shipped->bytes_sent);
    value.set("round_trips", deployed.shipped->round_trips);
  }
  Value timeline{Value::Table{}};
  for (const auto& [phase, seconds] : deployed.timeline.phases()) timeline.set(phase, seconds);
  value.set("timeline", std::move(timeline));
  value.set("ship_seconds", ship_seconds(deployed));
  value.set("restart_seconds", restart_seconds(deployed));
  return value;
}

Value to_value(const std::vector<Deployed>& results, double build_seconds) {
  Value::Array rows;
  for (const Deployed& deployed : results) rows.push_back(to_value(deployed));
  Value document{Value::Table{}};
  document.set("build_seconds", build_seconds);
  document.set("hosts", std::move(rows));
  document.set("not_begun",
               static_cast<std::uint64_t>(std::ranges::count(results, Deployed::State::not_begun, &Deployed::state)));
  return document;
}

void print_plans(const std::vector<Deployed>& results, const Arguments& arguments, Context& context) {
  const bool is_one = results.size() == 1;
  Value::Array rows;
  std::string text;
  for (const Deployed& deployed : results) {
    if (!deployed.plan) continue;
    Value row = deliver::to_value(*deployed.plan);
    if (!is_one) row.set("host", deployed.host);
    rows.push_back(std::move(row));
    text += (is_one ? "" : printable(deployed.host) + "\n\n") + plan_text(*deployed.plan) + (is_one ? "" : "\n");
  }
  if (!arguments.has("--json")) {
    context.print(text);
  } else if (is_one) {
    if (!rows.empty()) context.print(to_pretty_json(rows.front()));
  } else {
    context.print(to_pretty_json(Value::Table{{"hosts", std::move(rows)}}));
  }
}

int fail_with_first(const std::vector<Deployed>& results, Context& context) {
  for (const Deployed& deployed : results) {
    if (exit_code_of(deployed) == 0) continue;
    if (deployed.error) context.terminal().error(deployed.error->what(), deployed.error->hint());
    return exit_code_of(deployed);
  }
  return 0;
}

int run(const Arguments& arguments, Context& context) {
  const Wanted wanted = read_wanted(arguments);
  const deliver::Waves waves = waves_of(arguments);
  // What is wrong with the name is said before anything is built.
  if (const auto name = arguments.value("--as")) static_cast<void>(deliver::parse_engine_name(*name));
  std::vector<DeployTarget> targets = open_targets(wanted.hosts, arguments, context);
  const auto start = std::chrono::steady_clock::now();
  double build_seconds = 0;
  const auto build = [&] {
    connect_ahead(targets);
    OpenedImage built = build_into_store(arguments, context);
    build_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return built;
  };
  const OpenedImage opened = wanted.image.empty() ? build() : open_image(wanted.image, context);
  OnDeployEvent on_event;
  if (arguments.has("--events")) on_event = [&](const Value& event) { context.print(to_json(event) + "\n"); };
  // The version changes from release to release, the name in a compose file does not.
  deliver::EngineName live_name = engine_name_for(opened, arguments);
  if (!arguments.has("--as")) live_name = live_name.with_tag("latest");
  Deployment deployment(opened, live_name, std::move(targets), build_seconds, arguments, context, on_event);
  deployment.plan();
  const std::vector<Deployed>& results = deployment.results();
  if (arguments.has("--dry-run")) {
    print_plans(results, arguments, context);
    return fail_with_first(results, context);
  }
  deployment.carry_out(waves);
  const bool is_one = results.size() == 1;
  if (arguments.has("--events")) {
    Value document = to_value(results, build_seconds);
    document.set("event", "end");
    context.print(to_json(document) + "\n");
  } else if (arguments.has("--json")) {
    context.print(to_pretty_json(to_value(results, build_seconds)));
  } else {
    context.print(is_one ? text_of_one(results.front(), build_seconds) : text_of_many(results));
  }
  return fail_with_first(results, context);
}

}  // namespace

Command deploy_command() {
  std::vector<Option> options = rollout_option_list();
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
          "one without must run for --settle seconds. Each deploy is remembered on the host (veneer history) and its "
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
                   {"veneer deploy ssh://plant --max-bytes 2MB", "not when a dependency changed"},
                   {"veneer deploy shop:1.2.0 --hosts sites.txt --canary 1 --parallel 4",
                    "the same release on many hosts"}},
      .run = run};
}

}  // namespace veneer::cli
