#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/open_image.hh"
#include "cli/ship_report.hh"

namespace veneer::cli {

namespace {

int run(const Arguments& arguments, Context& context) {
  return load_here(open_image(arguments.value_or("IMAGE", ""), context), arguments, context);
}

}  // namespace

Command pull_command() {
  return {
      .name = "pull",
      .summary = "take an image from a layout or archive into this machine's engine",
      .description =
          "What `ship` does, from the other side: on the host, with an OCI layout or archive that it can read (a "
          "mounted share, say). Only layers that the engine lacks are read and loaded; the image is verified before "
          "the live name moves.",
      .positionals = {{"IMAGE", "oci:DIR[:TAG], docker-archive:FILE[:TAG], or name[:tag] of the project's store",
                       Positional::Need::required}},
      .options = load_options(),
      .examples = {{"veneer pull oci:/mnt/releases:1.2.0 --as shop:live", "the release from a share"}},
      .run = run};
}

}  // namespace veneer::cli
