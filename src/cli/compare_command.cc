#include <fmt/format.h>

#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/forecast_report.hh"
#include "cli/open_image.hh"
#include "cli/open_receiver.hh"
#include "deliver/forecast.hh"
#include "deliver/receiver/ship.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/stream.hh"

namespace veneer::cli {

namespace {

int run(const Arguments& arguments, Context& context) {
  const OpenedImage old_image = open_image(arguments.value_or("OLD", ""), context);
  const OpenedImage new_image = open_image(arguments.value_or("NEW", ""), context);
  const deliver::Line line{arguments.has("--line") ? read_rate(arguments.value_or("--line", "")) : 0, 0.1};
  const std::uint64_t most_bytes =
      arguments.has("--max-bytes") ? read_size(arguments.value_or("--max-bytes", "")) : no_limit;
  const deliver::EngineName name = deliver::unique_name_of(deliver::parse_engine_name("image:new"), new_image.sealed);
  const std::vector<deliver::Forecast> forecasts =
      deliver::forecast(new_image.sealed, old_image.sealed, line, name.reference());
  const deliver::Forecast& dearest = deliver::dearest(forecasts);
  if (arguments.has("--json")) {
    Value document{Value::Table{}};
    document.set("old", old_image.name);
    document.set("new", new_image.name);
    document.set("deploy", deliver::to_value(forecasts));
    context.print(to_pretty_json(document));
  } else {
    std::string text = fmt::format("from {} to {}\n\n", printable(old_image.name), printable(new_image.name));
    text += forecast_text(forecasts, line);
    if (dearest.plan.work == deliver::Work::load) {
      text += fmt::format("\n{}:\n\n", dearest.receiver) + travelling_text(new_image.sealed.image, dearest);
    }
    context.print(text);
  }
  if (dearest.plan.bytes > most_bytes) {
    context.terminal().error(
        fmt::format("{}: {} bytes would be sent, {} are allowed", dearest.receiver, dearest.plan.bytes, most_bytes),
        "");
    return exit_code(ErrorKind::gate);
  }
  return 0;
}

}  // namespace

Command compare_command() {
  return {
      .name = "compare",
      .summary = "show what a deploy from one image to another costs each kind of host",
      .description =
          "Plans the delivery of NEW to hosts that have OLD and nothing else, one of each kind: Docker with overlay2 "
          "over ssh and by its API, Docker with the containerd store, podman. Prints the bytes on the wire, and for "
          "the dearest of them the layers that travel and why. No host is asked. With --max-bytes it is a gate for "
          "CI: exit code 10 when the dearest costs more.",
      .positionals = {{"OLD", "name[:tag] of the project's store, oci:DIR[:TAG] or docker-archive:FILE[:TAG]",
                       Positional::Need::required},
                      {"NEW", "the same (default: what was built last)", Positional::Need::optional}},
      .options = {{"--line", "RATE", "what the line carries, such as 1Mbit: shows the time, and lets it count"},
                  {"--max-bytes", "SIZE", "exit with code 10 when more would travel, such as 2MB"},
                  {"--json", "", "print JSON"}},
      .examples = {{"veneer compare shop:1.2.0", "from that release to what was built last"},
                   {"veneer compare oci:released:1.2.0 shop:1.2.1 --max-bytes 2MB", "a byte budget in CI"}},
      .run = run};
}

}  // namespace veneer::cli
