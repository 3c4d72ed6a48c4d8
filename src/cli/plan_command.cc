#include <fmt/format.h>

#include <algorithm>

#include "app/deploy_forecast.hh"
#include "app/project_files.hh"
#include "app/start_command.hh"
#include "cli/build_options.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/forecast_report.hh"
#include "cli/host_options.hh"
#include "foundation/json.hh"
#include "foundation/units.hh"

namespace veneer::cli {

namespace {

Value to_value(const app::BuildSession& session) {
  const build::BuildPlan& plan = session.plan();
  Value base;
  base.set("name", session.inputs().base.name);
  base.set("layers", std::uint64_t{session.inputs().base.layers.size()});
  Value layout = plan::to_value(plan.layout);
  for (std::size_t i = 0; i < plan.in_cache.size(); ++i)
    layout.table()[0].second.array()[i].set("in_cache", bool{plan.in_cache[i]});
  Value::Array overlaps;
  for (const plan::Overlap& overlap : plan.overlaps) {
    Value row;
    row.set("path", overlap.path);
    row.set("winner", overlap.above);
    row.set("loser", overlap.below);
    overlaps.push_back(std::move(row));
  }
  Value::Array findings;
  for (const std::string& finding : plan.findings) findings.emplace_back(finding);
  Value value;
  value.set("image", session.image_name());
  value.set("base", std::move(base));
  value.set("python", python_to_value(session.inputs()));
  value.set("byte_code", session.inputs().byte_compiler != nullptr);
  value.set("start", app::start_value(session.start()));
  value.set("left_out", app::left_out_value(session.inputs().files));
  value.set("previous", app::previous_value(session.previous()));
  value.set("layers", layout.at("layers"));
  value.set("overlaps", std::move(overlaps));
  value.set("findings", std::move(findings));
  return value;
}

std::string text_of(const app::BuildSession& session, const std::optional<app::DeployForecast>& deploy,
                    deliver::Line line) {
  const build::BuildPlan& plan = session.plan();
  const python::Target& target = session.inputs().target;
  std::string text = fmt::format("{} on {}, Python {} ({}, {}), {} byte code\n", session.image_name(),
                                 session.inputs().base.name, target.full_version, target.interpreter, target.machine,
                                 session.inputs().byte_compiler != nullptr ? "with" : "without");
  const python::PythonChoice& choice = session.inputs().python_choice;
  const bool is_plain = choice.source == python::PythonSource::base && choice.reason == python::reason_of_base;
  text += is_plain ? "\n" : fmt::format("Python {}: {}\n\n", target.full_version, choice.reason);
  Table table({"#", "layer", "download", "state"}, {0, 2});
  std::size_t number = 0;
  const base::Base& base = session.inputs().base;
  for (std::size_t i = 0; i < base.layers.size(); ++i) {
    table.add({fmt::format("{}", ++number), printable(build::base_title(base, i), 60), human_size(base.layers[i].size),
               "kept"});
  }
  for (std::size_t i = 0; i < plan.layout.layers.size(); ++i) {
    const plan::PlannedLayer& layer = plan.layout.layers[i];
    table.add({fmt::format("{}", ++number), layer.title, layer.size == 0 ? "" : human_size(layer.size),
               plan.in_cache[i] ? "cached" : "to be made"});
  }
  text += table.text();
  text += fmt::format("\nstarts: {}\n", app::start_text(*session.start().start));
  const auto is_free = [](const deliver::Forecast& forecast) { return forecast.plan.bytes == 0; };
  if (deploy && std::ranges::all_of(deploy->forecasts, is_free)) {
    text += fmt::format("\nNothing has changed since {}: nothing would travel to hosts that have it.\n",
                        printable(deploy->from));
  } else if (deploy) {
    text += fmt::format("\nTo hosts that have {}, about:\n\n", printable(deploy->from));
    text += forecast_text(deploy->forecasts, line);
  }
  for (const std::string& finding : plan.findings) text += "\nnote: " + finding + "\n";
  return text;
}

Action parse(const Arguments& arguments) {
  const app::BuildRequest request = read_build_request(arguments);
  const deliver::Line line = app::line_of(read_line(arguments));
  const bool is_json = arguments.has("--json");
  return [=](Context& context) {
    const app::BuildSession session(request, context);
    const std::optional<app::DeployForecast> deploy = app::forecast_from_last(session, line);
    if (!is_json) {
      context.print(text_of(session, deploy, line));
      return 0;
    }
    Value document = to_value(session);
    if (deploy) {
      document.set("deploy_from", deploy->from);
      document.set("deploy", deliver::to_value(deploy->forecasts));
    }
    context.print(to_pretty_json(document));
    return 0;
  };
}

}  // namespace

Command plan_command() {
  std::vector<Option> options = build_options();
  options.push_back({"--line", "RATE", "what the line to the hosts carries, such as 1Mbit: shows the time as well"});
  options.push_back({"--json", "", "print JSON"});
  return {.name = "plan",
          .summary = "show what a build would do, and what a deploy of it would cost",
          .description =
              "Shows the base, the Python that it has, and the layers that a build would make or take from the cache, "
              "from the bottom "
              "up, and what bringing the image to each kind of host would cost that has the one which was built last. "
              "The base is made if the cache lacks it, and wheels that are unknown are fetched, because the plan "
              "depends on them.",
          .options = std::move(options),
          .examples = {{"veneer plan", "the layers of the project here"},
                       {"veneer plan --json | jq '.layers[].title'", "for scripts"}},
          .parse = parse};
}

}  // namespace veneer::cli
