#include <fmt/format.h>

#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/open_image.hh"
#include "cli/open_receiver.hh"
#include "cli/ship_report.hh"
#include "deliver/receiver/ship.hh"
#include "deliver/upgrade.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "image/media/archive_writer.hh"

namespace veneer::cli {

namespace {

// The arguments in either order; each may be left out.
struct Target {
  std::string image;
  std::string host;
};
Target read_target(const Arguments& arguments) {
  Target target;
  for (const std::string& given : arguments.values("IMAGE-OR-HOST")) {
    std::string& place = names_a_host(given) ? target.host : target.image;
    if (!place.empty()) {
      throw Error(ErrorKind::usage, fmt::format("'{}' and '{}' are two {}", printable(place), printable(given),
                                                names_a_host(given) ? "hosts" : "images"));
    }
    place = given;
  }
  return target;
}

int write_upgrade(const OpenedImage& opened, const deliver::EngineName& live_name, const Arguments& arguments,
                  Context& context) {
  const OpenedImage held = open_image(arguments.value_or("--for", ""), context);
  const std::set<BlobDigest> included = deliver::layers_of_upgrade(opened.sealed.image, held.sealed.image);
  const std::vector<image::Reference> names{live_name.reference()};
  const std::string file = arguments.value_or("--to-file", "");
  const image::Annotations annotations{{std::string(deliver::upgrade_base_annotation), held.name}};
  AtomicFile output(file);
  image::write_archive(output, opened.sealed, *opened.blobs, names, included, annotations);
  output.commit();
  context.print(fmt::format("{}: {}, {} of {} layers, for hosts that have {}\n", printable(file),
                            human_size(image::archive_size(opened.sealed, names, included, annotations)),
                            included.size(), opened.sealed.image.layers.size(), printable(held.name)));
  return 0;
}

int run(const Arguments& arguments, Context& context) {
  const Target target = read_target(arguments);
  const OpenedImage opened = open_image(target.image, context);
  const deliver::EngineName live_name = engine_name_for(opened, arguments);
  if (arguments.has("--to-file") != arguments.has("--for")) {
    throw Error(ErrorKind::usage, "--to-file and --for belong together",
                "--to-file upgrade.tar --for the image that the host has");
  }
  if (arguments.has("--to-file")) {
    if (!target.host.empty()) throw Error(ErrorKind::usage, "a file is for no host in particular; leave the host out");
    return write_upgrade(opened, live_name, arguments, context);
  }
  const OpenedReceiver receiver = open_receiver(target.host, arguments, context);
  deliver::ShipRequest request;
  request.live_name = live_name;
  request.line = receiver.line;
  if (arguments.has("--no-splice")) request.splice = deliver::SpliceChoice::never;
  return ship_and_report(opened, *receiver.receiver, request, arguments, context);
}

}  // namespace

Command ship_command() {
  std::vector<Option> options{{"--as", "NAME", "the live name on the host (default: the image's own)"},
                              {"--dry-run", "", "show what would travel and why; change nothing"}};
  for (Option& option : host_options()) options.push_back(std::move(option));
  options.push_back(
      {"--helper", "SOCKET",
       "over an API: have a container on the host read old layers back; SOCKET is the engine's there, such as "
       "/var/run/docker.sock"});
  options.push_back({"--to-file", "FILE", "write an upgrade for `veneer receive` instead, to be carried there"});
  options.push_back({"--for", "IMAGE", "with --to-file: the image that the host has, whose layers are left out"});
  options.push_back({"--json", "", "print JSON"});
  return {
      .name = "ship",
      .summary = "bring an image to a host with docker or podman, sending only what it lacks",
      .description =
          "Asks the host what it has, sends the layers that it lacks under a name of their own, verifies that the "
          "image is whole and a container can be made of it, and only then moves the live name. When anything goes "
          "wrong, the live name still stands for the old image.\n\n"
          "A host is ssh://[user@]host[:port], reached by your own ssh with all that ssh_config says and needing "
          "nothing but sh, tar and docker or podman, unix:///path/of/a/socket, or tcp://host:port (TLS as Docker's own "
          "client: DOCKER_TLS_VERIFY, DOCKER_CERT_PATH). Without one it is what DOCKER_HOST "
          "names, else the engine of this machine. Over ssh a cut line costs what was under way: veneer connects "
          "again and goes on, and so does the same command when it was ended.",
      .positionals = {{"IMAGE-OR-HOST",
                       "IMAGE: name[:tag] of the project's store, oci:DIR[:TAG] or docker-archive:FILE[:TAG] "
                       "(default: what was built last); HOST: ssh://user@host or unix:///socket",
                       Positional::Need::many}},
      .options = std::move(options),
      .examples = {{"veneer ship ssh://root@plant.example", "ship what was built last to a remote host"},
                   {"veneer ship shop:1.2.0 ssh://plant --as shop:live", "under the name that compose.yaml uses"},
                   {"veneer ship ssh://plant --dry-run --line 1Mbit", "what would it cost?"},
                   {"veneer ship --to-file upgrade.tar --for shop:1.1.0", "for a host without any line"},
                   {"DOCKER_HOST=unix:///run/user/1000/docker.sock veneer ship", "to another engine of this machine"}},
      .run = run};
}

}  // namespace veneer::cli
