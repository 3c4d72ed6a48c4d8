#include <fmt/format.h>

#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/open_image.hh"
#include "cli/ship_report.hh"
#include "deliver/receiver/ship.hh"
#include "deliver/upgrade.hh"
#include "foundation/error.hh"
#include "image/media/docker_archive.hh"

namespace veneer::cli {

namespace {

int run_receive(const Arguments& arguments, Context& context) {
  const std::string file = arguments.value_or("FILE", "");
  auto archive = std::make_shared<image::DockerArchive>(image::DockerArchive::open(file));
  const std::vector<std::string> names = archive->names();
  if (names.size() != 1 && !arguments.has("--as")) {
    throw Error(ErrorKind::refused, fmt::format("{} holds {} names, not one", printable(file), names.size()),
                "veneer ship --to-file writes such files; --as NAME:TAG gives the image a name");
  }
  image::SealedImage sealed = archive->read({});
  const OpenedImage opened{std::move(sealed), archive, names.empty() ? "" : names.front()};
  try {
    return load_here(opened, arguments, context);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
    const std::string base = archive->annotation(deliver::upgrade_base_annotation).value_or("another image");
    throw Error(ErrorKind::refused,
                fmt::format("{} is for a host that has {}, this one has not: {}", printable(file), printable(base, 300),
                            error.message()),
                "`veneer ship --to-file FILE --for IMAGE` makes one for the image that is here");
  }
}

}  // namespace

Command receive_command() {
  return {.name = "receive",
          .summary = "take an upgrade that came as a file",
          .description =
              "Loads what `veneer ship --to-file` wrote into the engine of this machine (or the one that DOCKER_HOST "
              "names), under the live name that it was made for. Layers that are not in the file are taken from the "
              "images that are here; a host that lacks one of them is refused, by name, and nothing changes.",
          .positionals = {{"FILE", "what `veneer ship --to-file` wrote", Positional::Need::required}},
          .options = load_options(),
          .examples = {{"veneer receive /media/stick/upgrade.tar", "on the host, with the stick from the office"}},
          .run = run_receive};
}

}  // namespace veneer::cli
