#include "cli/build_options.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/ship_report.hh"
#include "image/places/image_names.hh"
#include "image/platform.hh"

namespace veneer::cli {

namespace {

Action parse_pull(const Arguments& arguments) {
  const ShipOptions options = read_load_options(arguments);
  image::ImageName name = image::read_pulled_name(arguments.value_or("IMAGE", ""));
  if (const auto platform = arguments.value("--platform")) name.platform = image::parse_platform(*platform);
  const app::WantedImage wanted = std::move(name);
  check_name(options, wanted);
  return [=](Context& context) {
    const app::OpenedReceiver receiver = app::open_receiver(options.host, context);
    return ship_and_report(app::open_image(wanted, context), receiver, options, context);
  };
}

}  // namespace

Command pull_command() {
  std::vector<Option> options = load_options();
  options.push_back(project_option());
  options.push_back(image_platform_option());
  options.push_back(insecure_option());
  options.push_back(authority_option());
  return {
      .name = "pull",
      .summary = "take an image from a registry, layout or archive into this machine's engine",
      .description =
          "What `ship` does, from the other side: on the host, with a registry, or an OCI layout or archive that it "
          "can read (a mounted share, say). A name without prefix is a registry's, as `docker pull` reads it. Only "
          "layers that the engine lacks are read and loaded, whatever lies above or below them; the image is verified "
          "before the live name moves.",
      .positionals = {{"IMAGE", image::pulled_forms(), Positional::Need::required}},
      .options = std::move(options),
      .examples = {{"veneer pull registry.example/team/shop:1.2", "the release from a registry"},
                   {"veneer pull oci:/mnt/releases:1.2.0 --as shop:live", "the release from a share"}},
      .parse = parse_pull};
}

}  // namespace veneer::cli
