#include "app/image_sbom.hh"
#include "app/open_image.hh"
#include "cli/build_options.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "foundation/file.hh"
#include "image/places/image_names.hh"

namespace veneer::cli {

namespace {

int sbom(const app::WantedImage& wanted, const std::optional<std::string>& file, Context& context) {
  const app::OpenedImage opened = app::open_image(wanted, context);
  const std::string document = app::sbom_of(opened.sealed, *opened.blobs, context.messages());
  if (file) {
    write_text_file(*file, document);
  } else {
    context.print(document);
  }
  return 0;
}

Action parse_sbom(const Arguments& arguments) {
  const auto image = app::parse_wanted_image(arguments.value_or("IMAGE", ""), arguments.value("--platform"));
  const auto file = arguments.value("--output");
  return [image, file](Context& context) { return sbom(image, file, context); };
}

}  // namespace

Command sbom_command() {
  return {
      .name = "sbom",
      .summary = "list what an image holds, as SPDX",
      .description =
          "Prints an SPDX 2.3 document (JSON) of an image: the project, each Python distribution with its licence and, "
          "where veneer built the image, the SHA-256 of the file that the lock names, Debian's packages, uv's "
          "interpreter. The same image gives the same bytes wherever it lies. Of images that others built it has what "
          "their contents tell. veneer build --sbom writes the same document, and veneer push --sbom attaches it to "
          "the image in a registry.",
      .positionals = {{"IMAGE", image::image_forms() + " (default: what was built last)", Positional::Need::optional}},
      .options = {{"-o,--output", "FILE", "write to FILE instead of standard output"},
                  project_option(),
                  image_platform_option(),
                  insecure_option()},
      .examples = {{"veneer sbom", "of the image that was built last"},
                   {"veneer sbom registry.example/team/shop:1.2.0 -o shop.spdx.json", "of one in a registry"},
                   {"veneer sbom docker:debian:12", "of one that others built"}},
      .parse = parse_sbom};
}

}  // namespace veneer::cli
