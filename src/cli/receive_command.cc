#include <fmt/format.h>

#include "app/upgrade.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/ship_report.hh"
#include "foundation/error.hh"

namespace veneer::cli {

namespace {

int receive(const image::PathAndTag& file, const ShipOptions& options, Context& context) {
  const app::OpenedReceiver receiver = app::open_receiver(options.host, context);
  const app::OpenedUpgrade upgrade = app::open_upgrade(file, options.live_name);
  try {
    return ship_and_report(upgrade.image, receiver, options, context);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
    throw Error(ErrorKind::refused,
                fmt::format("{} is for a host that has {}, this one has not: {}", printable(file.path.native()),
                            printable(upgrade.held, 300), error.message()),
                "`veneer ship --to-file FILE --for IMAGE` makes one for the image that is here");
  }
}

Action parse_receive(const Arguments& arguments) {
  const ShipOptions options = read_load_options(arguments);
  const image::PathAndTag file = app::parse_upgrade_file(arguments.value_or("FILE", ""));
  return [=](Context& context) { return receive(file, options, context); };
}

}  // namespace

Command receive_command() {
  return {.name = "receive",
          .summary = "take an upgrade that came as a file",
          .description =
              "Loads what `veneer ship --to-file` wrote into the engine of this machine (or the one that DOCKER_HOST "
              "or the current Docker context names), under the live name that it was made for. Layers that are not in "
              "the file are taken from the "
              "images that are here; a host that lacks one of them is refused, by name, and nothing changes.",
          .positionals = {{"FILE", "what `veneer ship --to-file` wrote", Positional::Need::required}},
          .options = load_options(),
          .examples = {{"veneer receive /media/stick/upgrade.tar", "on the host, with the stick from the office"}},
          .parse = parse_receive};
}

}  // namespace veneer::cli
