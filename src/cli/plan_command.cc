#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "app/deploy_forecast.hh"
#include "app/project_files.hh"
#include "app/start_command.hh"
#include "cli/build_options.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/forecast_report.hh"
#include "cli/host_options.hh"
#include "cli/price_report.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/units.hh"
#include "plan/layer_changes.hh"
#include "python/name.hh"

namespace veneer::cli {

namespace {

std::optional<plan::PlanRecord> record_before(const app::BuildSession& session) {
  const auto& previous = session.inputs().previous;
  return previous ? std::optional(previous->record) : std::nullopt;
}

/// Of the layers of distributions.
std::vector<plan::LayerChange> changes_of(const app::BuildSession& session) {
  return plan::layer_changes(session.plan().layout, record_before(session));
}

Value to_value(const app::BuildSession& session) {
  const build::BuildPlan& plan = session.plan();
  Value base;
  base.set("name", session.inputs().base.name);
  base.set("digest", plan.layout.record.target.base);
  base.set("layers", std::uint64_t{session.inputs().base.layers.size()});
  Value layout = plan::to_value(plan.layout);
  const std::vector<plan::LayerChange> changes = changes_of(session);
  for (std::size_t i = 0; i < plan.in_cache.size(); ++i) {
    Value& layer = layout.table()[0].second.array()[i];
    layer.set("in_cache", bool{plan.in_cache[i]});
    layer.set("taken", bool{plan.is_taken[i]});
    layer.set("state", i < changes.size() ? Value(plan::state_name(changes[i].state)) : Value());
    layer.set("why", i < changes.size() ? Value(changes[i].why) : Value());
  }
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
  value.set("record", parse_json(plan::to_text(plan.layout.record)));
  value.set("overlaps", std::move(overlaps));
  value.set("findings", std::move(findings));
  return value;
}

std::string change_text(const plan::LayerChange& change) {
  return fmt::format("{}{}{}", plan::state_name(change.state), change.why.empty() ? "" : ": ", change.why);
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
  const bool is_compared = session.inputs().previous.has_value();
  const std::vector<plan::LayerChange> changes = is_compared ? changes_of(session) : std::vector<plan::LayerChange>();
  text += app::previous_text(session.previous()) + "\n\n";
  std::vector<std::string> head = {"#", "layer", "download", "state"};
  if (is_compared) head.push_back("against the image before");
  Table table(std::move(head), {0, 2});
  std::size_t number = 0;
  const base::Base& base = session.inputs().base;
  for (std::size_t i = 0; i < base.layers.size(); ++i) {
    std::vector<std::string> row = {fmt::format("{}", ++number), printable(build::base_title(base, i), 60),
                                    human_size(base.layers[i].size), "kept"};
    if (is_compared) row.emplace_back();
    table.add(std::move(row));
  }
  for (std::size_t i = 0; i < plan.layout.layers.size(); ++i) {
    const plan::PlannedLayer& layer = plan.layout.layers[i];
    std::vector<std::string> row = {fmt::format("{}", ++number), layer.title,
                                    layer.size == 0 ? "" : human_size(layer.size),
                                    plan.in_cache[i]   ? "cached"
                                    : plan.is_taken[i] ? "taken"
                                                       : "to be made"};
    if (is_compared) row.push_back(i < changes.size() ? change_text(changes[i]) : "");
    table.add(std::move(row));
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

/// What a deploy from one revision to another costs, of which neither is built.
Action parse_revisions(const Arguments& arguments) {
  constexpr std::array used = {"--project", "--platform",          "--python", "--extra", "--group",
                               "--package", "--dependency-layers", "--line",   "--json"};
  for (const Option& option : build_options()) {
    if (arguments.has(option.names) && std::ranges::find(used, option.names) == used.end()) {
      throw Error(ErrorKind::usage, fmt::format("{} is for what is built, not for --from REV", option.names));
    }
  }
  const std::string from = arguments.value_or("--from", "");
  const std::string to = arguments.value_or("--to", "HEAD");
  const app::PriceRequest request = read_price_request(arguments);
  const PriceOutput output = read_price_output(arguments);
  return
      [=](Context& context) { return print_price(app::price_of_commits(from, to, request, context), output, context); };
}

Action parse_plan(const Arguments& arguments) {
  if (arguments.has("--from")) {
    if (arguments.has("--explain")) throw Error(ErrorKind::usage, "--explain is not for --from");
    return parse_revisions(arguments);
  }
  for (const char* option : {"--to", "--markdown", "--max-bytes"}) {
    if (arguments.has(option)) throw Error(ErrorKind::usage, fmt::format("{} goes with --from REV", option));
  }
  const app::BuildRequest request = read_build_request(arguments);
  const deliver::Line line = app::line_of(read_line(arguments));
  const bool is_json = arguments.has("--json");
  const auto explained = arguments.value("--explain");
  if (is_json && explained) throw Error(ErrorKind::usage, "--explain and --json exclude each other");
  return [=](Context& context) {
    const app::BuildSession session(request, context);
    if (explained) {
      const auto text =
          plan::explain(session.plan().layout, record_before(session), python::normalised_name(*explained));
      if (!text) {
        throw Error(ErrorKind::not_found, fmt::format("the image has no distribution {}", printable(*explained)),
                    "its distributions are listed by: veneer plan --json");
      }
      context.print(*text);
      return 0;
    }
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
  options.push_back({"--from", "REV", "plan no build: what a deploy costs hosts that have this commit of the project"});
  options.push_back({"--to", "REV", "with --from: the commit that is deployed (default: HEAD)"});
  for (Option& option : price_options()) options.push_back(std::move(option));
  options.push_back({"--explain", "NAME", "why this distribution lies where it does, and how often it changed"});
  return {.name = "plan",
          .summary = "show what a build would do, and what a deploy of it would cost",
          .description =
              "Shows the base, the Python that it has, and the layers that a build would make or take from the cache, "
              "from the bottom "
              "up, and what bringing the image to each kind of host would cost that has the one which was built last. "
              "The base is made if the cache lacks it, and wheels that are unknown are fetched, because the plan "
              "depends on them.\n\n"
              "With --from it tells the price of a change before it is merged: from the locks and files of two "
              "commits alone, nothing is built and nobody is asked. Layers come out within 3 % or 20 kB, without "
              "byte code; what has to be built first (the project's own wheel, distributions without wheels) is "
              "estimated and marked. With --max-bytes it is a gate for CI: exit code 10 when the dearest kind of host "
              "gets more.",
          .options = std::move(options),
          .examples = {{"veneer plan", "the layers of the project here"},
                       {"veneer plan --explain numpy", "why does it lie where it does?"},
                       {"veneer plan --json > plan.json", "for scripts, and for: veneer build --plan plan.json"},
                       {"veneer plan --from origin/main --to HEAD --markdown", "the price of a pull request"}},
          .parse = parse_plan};
}

}  // namespace veneer::cli
