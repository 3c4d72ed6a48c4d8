#include <fmt/format.h>

#include "app/image_sbom.hh"
#include "app/made_layers.hh"
#include "cli/build_options.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/host_options.hh"
#include "cli/push_report.hh"
#include "cli/ship_report.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/units.hh"
#include "image/places/image_names.hh"

namespace veneer::cli {

namespace {

struct WantedPush {
  app::WantedImage image;
  app::PushTarget target;
  enum class Extent { all, plan } extent = Extent::all;
  enum class Sbom { none, attached } sbom = Sbom::none;
  bool is_json = false;
};

int push(const WantedPush& wanted, Context& context) {
  const app::OpenedImage opened = app::open_image(wanted.image, context);
  const auto made = app::read_made(app::project_store(context.current_folder()));
  app::ImagePush push(opened, made, wanted.target, context,
                      [&](const deliver::Event& event) { show_push(event, context.terminal()); });
  const deliver::DeliveryPlan plan = push.plan();
  if (wanted.extent == WantedPush::Extent::plan) {
    context.terminal().clear_progress();
    context.print(wanted.is_json ? to_pretty_json(deliver::to_value(plan)) : plan_text(plan));
    push.check_gates();
    return 0;
  }
  const deliver::PushResult result = push.carry_out();
  context.terminal().clear_progress();
  const ManifestDigest& manifest = opened.sealed.manifest_digest;
  std::optional<deliver::Attached> sbom;
  if (wanted.sbom == WantedPush::Sbom::attached) {
    sbom = push.attach(sbom_attachment(app::sbom_of(opened.sealed, *opened.blobs, context.messages())));
  }
  if (wanted.is_json) {
    context.print(to_pretty_json(push_value(result, manifest, sbom)));
    return 0;
  }
  if (sbom) context.terminal().note(attached_text(*sbom, manifest));
  context.terminal().note(result.plan.why);
  for (const std::string& note : result.plan.notes) context.terminal().note("note: " + note);
  context.print(push_text(result, manifest));
  return 0;
}

Action parse_push(const Arguments& arguments) {
  const std::vector<std::string> given = arguments.values("IMAGE-AND-REF");
  if (given.empty()) {
    throw Error(ErrorKind::usage, "push wants the name that the image gets in a registry",
                "such as registry.example/team/shop:1.2");
  }
  if (given.size() > 2) {
    throw Error(ErrorKind::usage, fmt::format("'{}' is one name too many", printable(given[2])),
                "veneer push [IMAGE] REF; further tags by --also-tag");
  }
  WantedPush wanted;
  wanted.target = read_push_target(given.back(), arguments);
  wanted.image = app::parse_wanted_image(given.size() == 2 ? given.front() : "");
  wanted.target.bytes_per_second = read_line(arguments).value_or(0);
  if (const auto bytes = arguments.value("--max-bytes")) wanted.target.most_bytes = read_size(*bytes);
  if (arguments.has("--dry-run")) wanted.extent = WantedPush::Extent::plan;
  if (arguments.has("--sbom")) wanted.sbom = WantedPush::Sbom::attached;
  wanted.is_json = arguments.has("--json");
  return [wanted](Context& context) { return push(wanted, context); };
}

}  // namespace

Command push_command() {
  std::vector<Option> options = push_options();
  options.push_back({"--sbom", "", "attach what the image holds (see veneer sbom) to it there, as a referrer"});
  options.push_back({"--dry-run", "", "show what would be sent and why; change nothing"});
  options.push_back({"--line", "RATE", "what the line carries, such as 1Mbit: shows the time"});
  options.push_back(
      {"--max-bytes", "SIZE", "exit with code 10, and send nothing, when more would travel, such as 2MB"});
  options.push_back(project_option());
  options.push_back(insecure_option());
  options.push_back(authority_option());
  options.push_back({"--json", "", "print JSON"});
  return {
      .name = "push",
      .summary = "bring an image into a registry, sending only what it lacks",
      .description =
          "Asks the registry what the repository has, sends the layers that it lacks, several at once, then the "
          "manifest, and gives the tags last: a tag stands for the old image or the whole new one at every moment. "
          "Layers that are there are not read. A cut line costs what was under way. REF is a name as Docker reads it; "
          "credentials are those of docker login or podman login.",
      .positionals = {{"IMAGE-AND-REF",
                       "REF: the name in a registry, name[:tag]; before it IMAGE: " + image::image_forms() +
                           " (default: what was built last)",
                       Positional::Need::many}},
      .options = std::move(options),
      .examples = {{"veneer push registry.example/team/shop:1.2.0 --also-tag latest", "push what was built last"},
                   {"veneer push oci:release:1.2.0 registry.example/team/shop:1.2.0", "an image of a layout"},
                   {"veneer push registry.example/team/shop:1.2.0 --sbom", "and attach its SBOM"},
                   {"veneer push registry.example/team/shop:1.2.0 --dry-run", "what would it cost?"}},
      .parse = parse_push};
}

}  // namespace veneer::cli
