#include <fmt/format.h>

#include "app/deploy_forecast.hh"
#include "app/priced_images.hh"
#include "cli/build_options.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/forecast_report.hh"
#include "cli/host_options.hh"
#include "cli/price_report.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/stream.hh"
#include "foundation/units.hh"
#include "image/places/image_names.hh"

namespace veneer::cli {

namespace {

/// Two locks instead of images.
struct WantedLocks {
  std::string from;
  std::string to;
  app::PriceRequest request;
  PriceOutput output;
};

struct WantedCompare {
  app::WantedImage old_image;
  app::WantedImage new_image;
  deliver::Line line;
  std::uint64_t most_bytes = no_limit;
  bool is_json = false;
};

int compare(const WantedCompare& wanted, Context& context) {
  const app::OpenedImage old_image = app::open_image(wanted.old_image, context);
  const app::OpenedImage new_image = app::open_image(wanted.new_image, context);
  const auto forecasts = app::forecast_deploy(old_image, new_image, wanted.line).forecasts;
  const deliver::Forecast& dearest = deliver::dearest(forecasts);
  if (wanted.is_json) {
    Value document{Value::Table{}};
    document.set("old", old_image.name);
    document.set("new", new_image.name);
    document.set("deploy", deliver::to_value(forecasts));
    context.print(to_pretty_json(document));
  } else {
    std::string text = fmt::format("from {} to {}\n\n", printable(old_image.name), printable(new_image.name));
    text += forecast_text(forecasts, wanted.line);
    if (dearest.plan.work == deliver::Work::load) {
      text += fmt::format("\n{}:\n\n", dearest.receiver) + travelling_text(new_image.sealed.image, dearest);
    }
    context.print(text);
  }
  if (dearest.plan.bytes > wanted.most_bytes) {
    context.terminal().error(fmt::format("{}: {} bytes would be sent, {} are allowed", dearest.receiver,
                                         dearest.plan.bytes, wanted.most_bytes),
                             "");
    return exit_code(ErrorKind::gate);
  }
  return 0;
}

Action parse_locks(const Arguments& arguments) {
  WantedLocks wanted{.from = arguments.value_or("OLD", ""), .to = arguments.value_or("NEW", "")};
  if (wanted.to.empty()) throw Error(ErrorKind::usage, "--lock wants two locks, OLD and NEW");
  if (arguments.has("--insecure")) throw Error(ErrorKind::usage, "--insecure is for images, not for locks");
  wanted.request = read_price_request(arguments);
  wanted.output = read_price_output(arguments);
  return [wanted](Context& context) {
    return print_price(app::price_of_locks(wanted.from, wanted.to, wanted.request, context), wanted.output, context);
  };
}

Action parse_compare(const Arguments& arguments) {
  if (arguments.has("--lock")) return parse_locks(arguments);
  for (const char* option : {"--markdown", "--python", "--extra", "--group", "--package"}) {
    if (arguments.has(option)) throw Error(ErrorKind::usage, fmt::format("{} is for locks: --lock", option));
  }
  WantedCompare wanted;
  const auto platform = arguments.value("--platform");
  wanted.old_image = app::parse_wanted_image(arguments.value_or("OLD", ""), platform);
  const std::string new_image = arguments.value_or("NEW", "");  // what was built last is for one platform
  wanted.new_image = app::parse_wanted_image(new_image, new_image.empty() ? std::nullopt : platform);
  wanted.line = app::line_of(read_line(arguments));
  if (const auto bytes = arguments.value("--max-bytes")) wanted.most_bytes = read_size(*bytes);
  wanted.is_json = arguments.has("--json");
  return [wanted](Context& context) { return compare(wanted, context); };
}

}  // namespace

Command compare_command() {
  return {
      .name = "compare",
      .summary = "show what a deploy from one image to another costs each kind of host",
      .description =
          "Plans the delivery of NEW to hosts that have OLD and nothing else, one of each kind: Docker with overlay2 "
          "over ssh and by its API, Docker with the containerd store, podman. Prints the bytes on the wire, and for "
          "the dearest of them the layers that travel and why. No host is asked. With --max-bytes it is a gate for "
          "CI: exit code 10 when the dearest costs more.\n\n"
          "With --lock, OLD and NEW are lock files, and it says what a deploy from one to the other will cost before "
          "anything is built or fetched: within 3 % or 20 kB a changed layer, without byte code and without the "
          "application ('veneer plan --from' has that, too).",
      .positionals = {{"OLD", image::image_forms() + "; with --lock a file", Positional::Need::required},
                      {"NEW", "the same (default: what was built last)", Positional::Need::optional}},
      .options = {{"--line", "RATE", "what the line carries, such as 1Mbit: shows the time, and lets it count"},
                  {"--max-bytes", "SIZE", "exit with code 10 when more would travel, such as 2MB"},
                  project_option(),
                  image_platform_option(),
                  insecure_option(),
                  authority_option(),
                  {"--lock", "", "OLD and NEW are locks: uv.lock, pylock.toml or requirements.txt"},
                  {"--python", "VERSION",
                   "with --lock: the Python that is installed for (default: as the lock allows)"},
                  {"--extra", "NAME", "with --lock: install this extra too", Option::Repeat::many},
                  {"--group", "NAME", "with --lock: install this dependency group too", Option::Repeat::many},
                  {"--package", "NAME", "with --lock: of this member of the workspace"},
                  {"--markdown", "", "with --lock: print tables to paste into a pull request"},
                  {"--json", "", "print JSON"}},
      .examples = {{"veneer compare shop:1.2.0", "from that release to what was built last"},
                   {"veneer compare oci:released:1.2.0 shop:1.2.1 --max-bytes 2MB", "a byte budget in CI"},
                   {"veneer compare --lock old/uv.lock uv.lock", "what another lock will cost, without a build"}},
      .parse = parse_compare};
}

}  // namespace veneer::cli
