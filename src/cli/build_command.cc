#include <fmt/format.h>

#include <chrono>

#include "app/image_sbom.hh"
#include "app/project_files.hh"
#include "app/start_command.hh"
#include "app/write_image.hh"
#include "cli/build_options.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/push_report.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"
#include "foundation/units.hh"
#include "image/places/image_names.hh"

namespace veneer::cli {

namespace {

Value to_value(const build::BuiltLayer& built) {
  Value value;
  value.set("kind", built.kind);
  value.set("title", built.title);
  value.set("diff_id", built.layer.diff_id.text());
  value.set("digest", built.layer.blob.text());
  value.set("size", built.layer.size);
  value.set("made", built.made);
  value.set("taken", built.is_taken);
  return value;
}

Value to_value(const app::BuildSession& session, const app::WrittenImage& written) {
  const build::BuiltImage& built = written.built;
  Value::Array layers;
  for (const build::BuiltLayer& layer : built.layers) layers.push_back(to_value(layer));
  Value::Array findings;
  for (const std::string& finding : session.plan().findings) findings.emplace_back(finding);
  const net::DownloadStatistics downloads = session.download_statistics();
  Value statistics;
  statistics.set("files_fetched", downloads.files_fetched);
  statistics.set("bytes_fetched", downloads.bytes_fetched);
  statistics.set("requests", downloads.requests);
  statistics.set("wheels_opened", built.statistics.wheels_opened);
  statistics.set("wheels_built", built.statistics.wheels_built);
  statistics.set("layers_made", built.statistics.layers_made);
  statistics.set("layers_reused", built.statistics.layers_reused);
  statistics.set("layers_taken", built.statistics.layers_taken);
  statistics.set("bytes_compressed", built.statistics.bytes_compressed);
  statistics.set("bytes_verified", session.cache()->files()->bytes_read());
  Value value;
  value.set("image", session.image_name());
  value.set("output", written.place);
  value.set("python", python_to_value(session.inputs()));
  value.set("manifest", built.sealed.manifest_digest.text());
  value.set("config", built.sealed.config_digest.text());
  value.set("start", app::start_value(session.start()));
  value.set("left_out", app::left_out_value(session.inputs().files));
  value.set("layers", std::move(layers));
  value.set("previous", app::previous_value(session.previous()));
  value.set("base_moved", moves_to_value(session.pins()));
  value.set("findings", std::move(findings));
  value.set("statistics", std::move(statistics));
  return value;
}

constexpr std::uint64_t plan_limit = 16 << 20;

struct WantedBuild {
  app::BuildRequest request;
  app::Output output;
  std::optional<app::PushTarget> push;
  std::optional<std::string> sbom;  // the file that it is written to
  bool is_json = false;
};

int build(const WantedBuild& wanted, Context& context) {
  const auto started = std::chrono::steady_clock::now();
  app::BuildSession session(wanted.request, context);
  const app::WrittenImage written = app::build_to(
      wanted.output, wanted.push ? app::TakenLayers::may_stay_there : app::TakenLayers::are_written, session, context);
  const build::BuiltImage& built = written.built;
  std::optional<deliver::Attachment> sbom;
  if (wanted.sbom) {
    sbom = sbom_attachment(app::sbom_of(built.sealed, *app::blobs_of(session), context.messages()));
    write_text_file(*wanted.sbom, sbom->text);
  }
  std::optional<app::PushedBuild> pushed;
  if (wanted.push) {
    pushed = app::push_built(session, built, *wanted.push, sbom, context,
                             [&](const deliver::Event& event) { show_push(event, context.terminal()); });
    context.terminal().clear_progress();
  }
  if (wanted.is_json) {
    Value document = to_value(session, written);
    if (pushed) document.set("push", push_value(pushed->result, built.sealed.manifest_digest, pushed->attached));
    context.print(to_pretty_json(document));
    return 0;
  }
  std::uint64_t total = 0;
  std::uint64_t application = 0;
  for (const build::BuiltLayer& layer : built.layers) {
    total += layer.layer.size;
    if (layer.kind == "application") application += layer.layer.size;
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
  const std::uint64_t taken = built.statistics.layers_taken;
  context.terminal().note(fmt::format("{} layers, {} made, {} reused{}; {} in all, the application layer {}; in {}",
                                      built.layers.size(), built.statistics.layers_made,
                                      built.layers.size() - built.statistics.layers_made,
                                      taken == 0 ? "" : fmt::format(" ({} from the image before)", taken),
                                      human_size(total), human_size(application), human_duration(seconds.count())));
  context.terminal().note("starts: " + app::start_text(*session.start().start));
  if (pushed && pushed->attached) {
    context.terminal().note(attached_text(*pushed->attached, built.sealed.manifest_digest));
  }
  if (pushed) context.terminal().note(pushed->result.plan.why);
  context.print(fmt::format("{} {}\n", session.image_name(), built.sealed.manifest_digest.text()));
  if (pushed) context.print(push_text(pushed->result, built.sealed.manifest_digest));
  return 0;
}

plan::FixedPlan read_plan(const std::string& file) {
  return in_context([&] { return "reading the plan " + printable(file); },
                    [&] { return plan::read_fixed_plan(parse_json(read_text_file(file, plan_limit))); });
}

Action parse_build(const Arguments& arguments) {
  WantedBuild wanted{read_build_request(arguments), nullptr, {}, {}, arguments.has("--json")};
  if (const auto name = arguments.value("--push")) wanted.push = read_push_target(*name, arguments);
  for (const Option& option : push_options()) {
    if (!wanted.push && arguments.has(option.names)) {
      throw Error(ErrorKind::usage, option.names + " is for what is pushed", "name where to by --push REF");
    }
  }
  wanted.sbom = arguments.value("--sbom");
  if (const auto file = arguments.value("--plan")) wanted.request.plan = read_plan(*file);
  if (const auto output = arguments.value("--output")) wanted.output = app::parse_output(*output);
  if (wanted.output) wanted.request.destination = app::Destination::elsewhere;
  if (wanted.push) {
    wanted.request.pushed_to.push_back(wanted.push->name);
    for (const std::string& tag : wanted.push->also_tags) {
      wanted.request.pushed_to.push_back(wanted.push->name);
      wanted.request.pushed_to.back().tag = tag;
    }
  }
  return [wanted](Context& context) { return build(wanted, context); };
}

}  // namespace

Command build_command() {
  std::vector<Option> options = build_options();
  options.push_back(
      {"-o,--output", "PLACE", "write to " + image::output_forms() + " (default: the project's .veneer folder)"});
  options.push_back(
      {"--plan", "FILE", "make exactly the layers that plan --json has printed, or refuse when anything differs"});
  options.push_back({"--push", "REF", "bring the image into a registry too, under this name"});
  for (Option& option : push_options()) options.push_back(std::move(option));
  options.push_back(
      {"--sbom", "FILE",
       "write what the image holds to FILE, as veneer sbom prints it; with --push, attach it there, too"});
  options.push_back({"--json", "", "print what was built as JSON"});
  return {.name = "build",
          .summary = "build the project's image",
          .description =
              "Builds an image from pyproject.toml and uv.lock: the base, a layer for each large wheel, small ones "
              "together, the "
              "virtual environment, and a thin layer with the project's own code. The same commit gives the same image "
              "on every "
              "machine. Layers that were made before are taken from the cache.",
          .options = std::move(options),
          .examples = {{"veneer build", "build the project here into its .veneer folder"},
                       {"veneer build -o docker-archive:app.tar", "write a file that docker and podman can load"},
                       {"veneer build --push registry.example/team/shop:1.2.0 --also-tag latest",
                        "and bring what a registry lacks of it there"},
                       {"veneer build --sbom app.spdx.json", "and write down what the image holds"},
                       {"veneer build --previous registry.example/team/shop:latest -o oci:release",
                        "keep the layers of that image as far as they still hold"},
                       {"veneer build --cmd 'python main.py'", "say what a container starts"},
                       {"veneer build --base debian:bookworm --extra postgres", "choose the base, install an extra"},
                       {"veneer build --locked", "in CI: refuse a base that is not as veneer.lock pins it"},
                       {"veneer build --python 3.12", "with that Python, of a Debian release or uv's"}},
          .parse = parse_build};
}

}  // namespace veneer::cli
