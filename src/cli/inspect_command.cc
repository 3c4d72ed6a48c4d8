#include <fmt/format.h>

#include "app/open_image.hh"
#include "cli/build_options.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/units.hh"
#include "image/validate.hh"
#include "inspect/layer_contents.hh"
#include "inspect/merged_tree.hh"

namespace veneer::cli {

namespace {

struct WantedInspect {
  app::WantedImage image;
  bool reads_layers = false;
  bool is_tree = false;
  bool is_json = false;
};

std::string tree_text(const inspect::MergedTree& merged) {
  std::string text;
  for (const std::string& line : inspect::tree_lines(merged.tree)) text += line + "\n";
  return text;
}

std::string summary_json(const app::OpenedImage& opened, const std::vector<inspect::LayerSummary>& layers) {
  Value value = parse_json(inspect::summary_to_json(opened.sealed, layers));
  value.set("name", opened.name);
  return to_pretty_json(value);
}

std::string summary_text(const app::OpenedImage& opened, const std::vector<inspect::LayerSummary>& layers) {
  std::uint64_t total = 0;
  for (const image::Layer& layer : opened.sealed.image.layers) total += layer.size;
  const image::RunConfig& config = opened.sealed.image.config;
  return fmt::format("{}\nmanifest  {}\nconfig    {}\ncreated   {}\nplatform  {}/{}\nlayers    {}, {}\n\n{}",
                     printable(opened.name), opened.sealed.manifest_digest.text(), opened.sealed.config_digest.text(),
                     printable(config.created), printable(config.platform.os), printable(config.platform.architecture),
                     layers.size(), human_size(total), inspect::summary_to_text(layers));
}

int inspect_image(const WantedInspect& wanted, Context& context) {
  const app::OpenedImage opened = app::open_image(wanted.image, context);
  std::optional<inspect::MergedTree> merged;
  if (wanted.reads_layers) {
    context.terminal().progress("reading the layers");
    merged = inspect::merge_layers(opened.sealed.image, *opened.blobs);
    context.terminal().clear_progress();
  }
  if (wanted.is_tree) {
    context.print(wanted.is_json ? inspect::tree_to_json(merged->tree) : tree_text(*merged));
    return 0;
  }
  const auto layers = inspect::summarize_layers(opened.sealed.image, merged ? &*merged : nullptr);
  context.print(wanted.is_json ? summary_json(opened, layers) : summary_text(opened, layers));
  if (wanted.is_json) return 0;
  for (const std::string& finding : image::validate_image(opened.sealed)) context.print("\nnote: " + finding + "\n");
  return 0;
}

Action parse_inspect(const Arguments& arguments) {
  WantedInspect wanted;
  wanted.image = app::parse_wanted_image(arguments.value_or("IMAGE", ""), arguments.value("--platform"));
  wanted.is_tree = arguments.has("--tree");
  wanted.reads_layers = wanted.is_tree || arguments.has("--verify") || arguments.has("--contents");
  wanted.is_json = arguments.has("--json");
  return [wanted](Context& context) { return inspect_image(wanted, context); };
}

}  // namespace

Command inspect_command() {
  return {
      .name = "inspect",
      .summary = "show an image's layers and what is in each",
      .description =
          "Shows the layers of an image from the bottom up: sizes, digests, what each was made from. With "
          "--contents the layers are read "
          "and the biggest files of each are shown; with --tree, the files that a container would see.",
      .positionals = {{"IMAGE", image::image_forms() + " (default: what was built last)", Positional::Need::optional}},
      .options = {{"--contents", "", "read the layers and show what is in each"},
                  {"--tree", "", "print the merged tree: every path that a container sees"},
                  {"--verify", "", "read all layers and check every digest"},
                  project_option(),
                  image_platform_option(),
                  insecure_option(),
                  authority_option(),
                  {"--json", "", "print JSON"}},
      .examples = {{"veneer inspect", "the image that was built last"},
                   {"veneer inspect docker-archive:saved.tar --contents", "what is in an image that docker saved"},
                   {"veneer inspect --tree --json | jq '.entries[] | select(.size > 1000000) | .path'",
                    "the big files"}},
      .parse = parse_inspect};
}

}  // namespace veneer::cli
