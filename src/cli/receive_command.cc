#include <fmt/format.h>

#include <filesystem>

#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/open_image.hh"
#include "cli/open_receiver.hh"
#include "cli/ship_report.hh"
#include "deliver/receiver/ship.hh"
#include "foundation/error.hh"
#include "image/location.hh"
#include "image/media/docker_archive.hh"

namespace veneer::cli {

namespace {

int load_here(const OpenedImage& opened, const std::string& name, const Arguments& arguments, Context& context) {
  const OpenedReceiver receiver = open_receiver("", arguments, context, ReadBack::wanted);
  deliver::ShipRequest request;
  request.live_name = deliver::parse_engine_name(name);
  request.line = receiver.line;
  request.splice = deliver::SpliceChoice::whenever_possible;
  return ship_and_report(opened, *receiver.receiver, request, arguments, context);
}

int run_receive(const Arguments& arguments, Context& context) {
  const std::string file = arguments.value_or("FILE", "");
  auto archive = std::make_shared<image::DockerArchive>(image::DockerArchive::open(file));
  const std::vector<std::string> names = archive->names();
  if (names.size() != 1 && !arguments.has("--as")) {
    throw Error(ErrorKind::refused, fmt::format("{} holds {} names, not one", printable(file), names.size()),
                "veneer ship --to-file writes such files; --as NAME:TAG gives the image a name");
  }
  image::SealedImage sealed = archive->read({});
  const std::string name = arguments.has("--as") ? arguments.value_or("--as", "") : names.front();
  const OpenedImage opened{std::move(sealed), archive, name};
  try {
    return load_here(opened, name, arguments, context);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
    throw Error(ErrorKind::refused, fmt::format("{} does not fit this host: {}", printable(file), error.message()),
                "it was made by `veneer ship --to-file --for IMAGE`: that image, whole, must be here");
  }
}

int run_pull(const Arguments& arguments, Context& context) {
  const std::string source = arguments.value_or("IMAGE", "");
  const OpenedImage opened = open_image(source, context);
  const std::string name = arguments.value_or("--as", opened.name);
  require_engine_name(name, arguments);
  return load_here(opened, name, arguments, context);
}

const Option as_option{"--as", "NAME", "the live name on the engine (default: the image's own)"};
const Option dry_run_option{"--dry-run", "", "show what would be loaded and why; change nothing"};
const Option json_option{"--json", "", "print JSON"};

}  // namespace

Command receive_command() {
  return {.name = "receive",
          .summary = "take an upgrade that came as a file",
          .description =
              "Loads what `veneer ship --to-file` wrote into the engine of this machine (or the one that DOCKER_HOST "
              "names), under the live name that it was made for. Layers that are not in the file are taken from the "
              "images that are here; a host that lacks one of them is refused, by name, and nothing changes.",
          .positionals = {{"FILE", "what `veneer ship --to-file` wrote", Positional::Need::required}},
          .options = {as_option, dry_run_option, json_option},
          .examples = {{"veneer receive /media/stick/upgrade.tar", "on the host, with the stick from the office"}},
          .run = run_receive};
}

Command pull_command() {
  return {
      .name = "pull",
      .summary = "take an image from a layout or archive into this machine's engine",
      .description =
          "What `ship` does, from the other side: on the host, with an OCI layout or archive that it can read (a "
          "mounted share, say). Only layers that the engine lacks are read and loaded; the image is verified before "
          "the live name moves.",
      .positionals = {{"IMAGE", "oci:DIR[:TAG], docker-archive:FILE[:TAG], or name:tag of the project's store",
                       Positional::Need::required}},
      .options = {as_option, dry_run_option, json_option},
      .examples = {{"veneer pull oci:/mnt/releases:1.2.0 --as shop:live", "the release from a share"}},
      .run = run_pull};
}

}  // namespace veneer::cli
