#include <fmt/format.h>

#include "app/upgrade.hh"
#include "cli/build_options.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/host_options.hh"
#include "cli/ship_report.hh"
#include "foundation/error.hh"
#include "foundation/units.hh"
#include "image/places/image_names.hh"

namespace veneer::cli {

namespace {

struct ImageAndHost {
  std::string image;
  std::string host;
};

// In either order; each may be left out.
ImageAndHost read_image_and_host(const Arguments& arguments) {
  ImageAndHost read;
  for (const std::string& given : arguments.values("IMAGE-OR-HOST")) {
    std::string& place = app::names_a_host(given) ? read.host : read.image;
    if (!place.empty()) {
      throw Error(ErrorKind::usage, fmt::format("'{}' and '{}' are two {}", printable(place), printable(given),
                                                app::names_a_host(given) ? "hosts" : "images"));
    }
    place = given;
  }
  return read;
}

struct UpgradeFile {
  std::string path;
  app::WantedImage held;
};

std::optional<UpgradeFile> read_upgrade_file(const Arguments& arguments) {
  if (arguments.has("--to-file") != arguments.has("--for")) {
    throw Error(ErrorKind::usage, "--to-file and --for belong together",
                "--to-file upgrade.tar --for the image that the host has");
  }
  if (!arguments.has("--to-file")) return std::nullopt;
  for (const char* option : {"--dry-run", "--json", "--helper", "--engine", "--sudo", "--patience", "--host-folder",
                             "--line", "--no-splice"}) {
    if (arguments.has(option)) {
      throw Error(ErrorKind::usage, fmt::format("{} is for hosts; --to-file writes for no host in particular", option));
    }
  }
  return UpgradeFile{arguments.value_or("--to-file", ""), app::parse_wanted_image(arguments.value_or("--for", ""))};
}

int write_upgrade(const app::WantedImage& wanted, const ShipOptions& options, const UpgradeFile& file,
                  Context& context) {
  const app::OpenedImage opened = app::open_image(wanted, context);
  const app::OpenedImage held = app::open_image(file.held, context);
  const app::WrittenUpgrade written = app::write_upgrade(opened, held, name_for(opened, options.live_name), file.path);
  context.print(fmt::format("{}: {}, {} of {} layers, for hosts that have {}\n", printable(file.path),
                            human_size(written.bytes), written.layers, opened.sealed.image.layers.size(),
                            printable(held.name)));
  return 0;
}

Action parse_ship(const Arguments& arguments) {
  const ImageAndHost given = read_image_and_host(arguments);
  const ShipOptions options = read_ship_options(given.host, arguments);
  const app::WantedImage wanted = app::parse_wanted_image(given.image, arguments.value("--platform"));
  check_name(options, wanted);
  if (const auto file = read_upgrade_file(arguments)) {
    if (!given.host.empty()) throw Error(ErrorKind::usage, "a file is for no host in particular; leave the host out");
    return [=](Context& context) { return write_upgrade(wanted, options, *file, context); };
  }
  return [=](Context& context) {
    const app::OpenedReceiver receiver = app::open_receiver(options.host, context);
    return ship_and_report(app::open_image(wanted, context), receiver, options, context);
  };
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
  options.push_back(project_option());
  options.push_back(image_platform_option());
  options.push_back(insecure_option());
  options.push_back(authority_option());
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
          "or the current Docker context names, else the engine of this machine. Over ssh a cut line costs what was "
          "under way: veneer connects "
          "again and goes on, and so does the same command when it was ended.",
      .positionals = {{"IMAGE-OR-HOST",
                       "IMAGE: " + image::image_forms() +
                           " (default: what was built last); HOST: ssh://user@host or unix:///socket",
                       Positional::Need::many}},
      .options = std::move(options),
      .examples = {{"veneer ship ssh://root@plant.example", "ship what was built last to a remote host"},
                   {"veneer ship shop:1.2.0 ssh://plant --as shop:live", "under the name that compose.yaml uses"},
                   {"veneer ship ssh://plant --dry-run --line 1Mbit", "what would it cost?"},
                   {"veneer ship --to-file upgrade.tar --for shop:1.1.0", "for a host without any line"},
                   {"DOCKER_HOST=unix:///run/user/1000/docker.sock veneer ship", "to another engine of this machine"}},
      .parse = parse_ship};
}

}  // namespace veneer::cli
