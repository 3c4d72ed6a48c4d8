#include <fmt/format.h>

#include "app/deploy_forecast.hh"
#include "cli/build_options.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/forecast_report.hh"
#include "cli/host_options.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"

namespace veneer::cli {

namespace {

struct Wanted {
  app::BuildRequest request;
  deliver::Line line;
  bool is_json = false;
};

std::string text_of(const app::BasePins& pins, const std::optional<app::DeployForecast>& deploy, deliver::Line line) {
  const base::LockedBase& now = pins.taken();
  std::string text = fmt::format("{} for {}, {} in {}\n", printable(now.name), now.platform,
                                 pins.had_base() ? "pinned anew" : "pinned", printable(pins.path().native()));
  Table table({"moved", "from", "to"});
  for (const app::BaseMove& move : pins.moves())
    table.add({printable(move.what), printable(move.from), printable(move.to)});
  if (!pins.moves().empty()) text += "\n" + table.text();
  if (pins.had_base() && pins.moves().empty()) text += "nothing has moved\n";
  if (!deploy) return text + "\nNothing was built here yet, so nothing tells what a deploy costs.\n";
  text += fmt::format("\nA deploy of what is here now, to hosts that have {}, about:\n\n", printable(deploy->from));
  return text + forecast_text(deploy->forecasts, line);
}

int update(const Wanted& wanted, Context& context) {
  const app::BuildSession session(wanted.request, context);
  const app::BasePins& pins = session.pins();
  const std::optional<app::DeployForecast> deploy = app::forecast_from_last(session, wanted.line);
  pins.write(context.messages());
  if (!wanted.is_json) {
    context.print(text_of(pins, deploy, wanted.line));
    return 0;
  }
  Value document;
  document.set("file", pins.path().native());
  document.set("base", pins.taken().name);
  document.set("platform", pins.taken().platform);
  document.set("moved", moves_to_value(pins));
  if (deploy) {
    document.set("deploy_from", deploy->from);
    document.set("deploy", deliver::to_value(deploy->forecasts));
  }
  context.print(to_pretty_json(document));
  return 0;
}

/// What can be done with bases, by the word that says it.
Action parse(const Arguments& arguments) {
  const std::string action = arguments.value_or("ACTION", "");
  if (action != "update") throw Error(ErrorKind::usage, fmt::format("'{}' is not update", printable(action)));
  for (const char* option : {"--locked", "--no-lock-file"}) {
    if (arguments.has(option))
      throw Error(ErrorKind::usage, fmt::format("{} keeps what base update makes anew", option));
  }
  Wanted wanted;
  wanted.request = read_build_request(arguments);
  wanted.request.base_lock = app::BaseLockUse::renewed;
  wanted.line = app::line_of(read_line(arguments));
  wanted.is_json = arguments.has("--json");
  return [wanted](Context& context) { return update(wanted, context); };
}

}  // namespace

Command base_command() {
  std::vector<Option> options = build_options();
  options.push_back({"--line", "RATE", "what the line to the hosts carries, such as 1Mbit: shows the time as well"});
  options.push_back({"--json", "", "print JSON"});
  return {.name = "base",
          .summary = "bring what images stand on up to date",
          .description =
              "update: makes the base of the project anew, with what its archive, uv or its place has now, and writes "
              "it into veneer.lock beside the project's lock; says what moved, and what the next deploy costs each "
              "kind of host that has the image which was built last. Security updates come into a base by this, and "
              "never by a build. Nothing is built; the next build takes what was pinned.",
          .positionals = {{"ACTION", "update", Positional::Need::required}},
          .options = std::move(options),
          .examples = {{"veneer base update", "take the newest packages, and see what that costs"},
                       {"veneer base update --line 1Mbit", "also how long a deploy takes"}},
          .parse = parse};
}

}  // namespace veneer::cli
