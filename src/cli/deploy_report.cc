#include "cli/deploy_report.hh"

#include <fmt/format.h>

#include <algorithm>

#include "cli/context.hh"
#include "cli/rollout_report.hh"
#include "cli/ship_report.hh"
#include "foundation/error.hh"
#include "foundation/units.hh"

namespace veneer::cli {

int exit_code_of(const app::Deployed& deployed) {
  if (deployed.error) return exit_code(deployed.error->kind());
  return deployed.rollout ? exit_code_of(*deployed.rollout) : 0;
}

namespace {

std::string state_name(const app::Deployed& deployed) {
  switch (deployed.state) {
    case app::Deployed::State::not_begun: return "not begun";
    case app::Deployed::State::refused: return "untouched";
    case app::Deployed::State::lost: return "lost";
    case app::Deployed::State::rolled_out: return std::string(outcome_name(deployed.rollout->outcome));
  }
  return {};
}

double seconds_of(const app::Deployed& deployed, std::initializer_list<std::string_view> phases) {
  double sum = 0;
  for (const auto& [phase, seconds] : deployed.timeline.phases()) {
    if (std::ranges::find(phases, phase) != phases.end()) sum += seconds;
  }
  return sum;
}
double ship_seconds(const app::Deployed& deployed) { return seconds_of(deployed, {"ask", "send", "load", "verify"}); }
double restart_seconds(const app::Deployed& deployed) {
  return seconds_of(deployed, {"prepare", "waiting", "before", "restart", "health", "after", "stop", "back"});
}

std::string timeline_text(const app::Deployed& deployed, double build_seconds) {
  std::string text;
  double sum = build_seconds;
  if (build_seconds > 0) text += fmt::format("build {}, ", human_duration(build_seconds));
  for (const auto& [phase, seconds] : deployed.timeline.phases()) {
    text += fmt::format("{} {}, ", phase, human_duration(seconds));
    sum += seconds;
  }
  return text + fmt::format("in all {}", human_duration(sum));
}

std::string text_of_one(const app::Deployed& deployed, double build_seconds) {
  if (!deployed.rollout) return {};  // said as the command's error
  return fmt::format("{}: {}\n  {} sent, {} round trips; {}\n", printable(deployed.host),
                     outcome_text(*deployed.rollout), human_size(deployed.shipped->bytes_sent),
                     deployed.shipped->round_trips, timeline_text(deployed, build_seconds));
}

std::string text_of_many(const std::vector<app::Deployed>& results) {
  Table table({"host", "outcome", "sent", "ship", "restart", "release"}, {2, 3, 4, 5});
  std::string reasons;
  for (const app::Deployed& deployed : results) {
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

Value to_value(const app::Deployed& deployed) {
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

}  // namespace

std::string deploys_to_text(const std::vector<app::Deployed>& results, double build_seconds) {
  return results.size() == 1 ? text_of_one(results.front(), build_seconds) : text_of_many(results);
}

Value deploys_to_value(const std::vector<app::Deployed>& results, double build_seconds) {
  Value::Array rows;
  for (const app::Deployed& deployed : results) rows.push_back(to_value(deployed));
  Value document{Value::Table{}};
  document.set("build_seconds", build_seconds);
  document.set("hosts", std::move(rows));
  document.set("not_begun", static_cast<std::uint64_t>(
                                std::ranges::count(results, app::Deployed::State::not_begun, &app::Deployed::state)));
  return document;
}

std::string plans_text(const std::vector<app::Deployed>& results) {
  std::string text;
  for (const app::Deployed& deployed : results) {
    if (!deployed.plan) continue;
    if (results.size() == 1) return plan_text(*deployed.plan);
    text += printable(deployed.host) + "\n\n" + plan_text(*deployed.plan) + "\n";
  }
  return text;
}

Value plans_value(const std::vector<app::Deployed>& results) {
  if (results.size() == 1) return results.front().plan ? deliver::to_value(*results.front().plan) : Value();
  Value::Array rows;
  for (const app::Deployed& deployed : results) {
    if (!deployed.plan) continue;
    Value row = deliver::to_value(*deployed.plan);
    row.set("host", deployed.host);
    rows.push_back(std::move(row));
  }
  return Value::Table{{"hosts", std::move(rows)}};
}

void show(const app::DeployEvent& event, app::Messages& messages, const std::string& host) {
  if (event.kind == app::DeployEvent::Kind::delivery) show(*event.delivery, messages, host);
  if (event.kind == app::DeployEvent::Kind::phase) show_phase(event.phase, messages, host);
}

Value event_to_value(const app::DeployEvent& event) {
  using Kind = app::DeployEvent::Kind;
  Value document{Value::Table{}};
  const auto named = [&](std::string_view name) {
    document.set("event", name);
    document.set("host", event.host.host);
  };
  switch (event.kind) {
    case Kind::delivery:
      if (event.delivery->kind == deliver::Event::Kind::reconnecting) {
        named("reconnecting");
      } else if (event.delivery->kind == deliver::Event::Kind::sending_whole) {
        named("sending_whole");
      } else {
        return {};
      }
      document.set("why", printable(event.delivery->text));
      break;
    case Kind::phase:
      named("phase");
      document.set("phase", event.phase);
      break;
    case Kind::planned:
      named("planned");
      document.set("bytes", event.host.plan->bytes);
      document.set("why", event.host.plan->why);
      break;
    case Kind::error:
      named("error");
      document.set("error", event.host.error->what());
      break;
    case Kind::finished:
      named("finished");
      add_to(document, *event.host.rollout);
      break;
  }
  return document;
}

}  // namespace veneer::cli
