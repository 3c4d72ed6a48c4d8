#include <fmt/format.h>

#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/open_image.hh"
#include "deliver/delivery_plan.hh"
#include "deliver/receiver/docker_engine.hh"
#include "deliver/receiver/ship.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "image/reference.hh"

namespace veneer::cli {

namespace {

std::string plan_text(const deliver::DeliveryPlan& plan) {
  Table table({"#", "action", "on the wire", "why"}, {0, 2});
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const deliver::Step& step = plan.steps[i];
    table.add({fmt::format("{}", i + 1), std::string(deliver::action_name(step.action)),
               step.bytes == 0 ? "" : human_size(step.bytes), step.why});
  }
  std::string text = fmt::format("{}\n\n{}\n{} on the wire, {} round trips\n", plan.why, table.text(),
                                 human_size(plan.bytes), plan.round_trips);
  for (const std::string& note : plan.notes) text += "note: " + note + "\n";
  return text;
}

void show(const deliver::Event& event, Terminal& terminal) {
  using Kind = deliver::Event::Kind;
  switch (event.kind) {
    case Kind::asking: terminal.progress("asking the engine what it has"); break;
    case Kind::planned: terminal.progress(event.text); break;
    case Kind::sending:
      terminal.progress(fmt::format("sending {} of {}", human_size(event.bytes), human_size(event.total)));
      break;
    case Kind::working: terminal.progress("the engine unpacks"); break;
    case Kind::verifying: terminal.progress("verifying"); break;
    case Kind::sending_whole:
      terminal.note(
          fmt::format("the engine lacks a layer after all ({}); sending the whole image", printable(event.text)));
      break;
    case Kind::naming: terminal.progress("naming " + event.text); break;
    case Kind::cleaning_up: terminal.note("removing " + printable(event.text)); break;
  }
}

Value to_value(const deliver::ShipResult& result) {
  Value value;
  value.set("image_id", result.image_id);
  value.set("name", result.live_name.familiar());
  value.set("unique_name", result.unique_name.familiar());
  value.set("bytes_sent", result.bytes_sent);
  value.set("requests", result.requests);
  value.set("sent_whole_after_all", result.sent_whole_after_all);
  value.set("plan", deliver::to_value(result.plan));
  return value;
}

int run(const Arguments& arguments, Context& context) {
  const OpenedImage opened = open_image(arguments.value_or("IMAGE", ""), context);
  const std::string name = arguments.value_or("--as", opened.name);
  if (!arguments.has("--as") && name.find(':') != std::string::npos &&
      (name.starts_with("oci:") || name.starts_with("docker-archive:"))) {
    throw Error(ErrorKind::usage, "this image needs a name on the engine", "give it one with --as NAME:TAG");
  }
  const deliver::EngineAddress address = deliver::read_docker_host(context.environment("DOCKER_HOST").value_or(""));
  deliver::DockerEngine engine(deliver::connect_to(address));
  deliver::ShipRequest request;
  request.live_name = deliver::parse_engine_name(name);
  if (arguments.has("--dry-run")) {
    const deliver::DeliveryPlan plan = deliver::plan_shipment(opened.sealed, engine, request);
    context.print(arguments.has("--json") ? to_pretty_json(deliver::to_value(plan)) : plan_text(plan));
    return 0;
  }
  const deliver::ShipResult result =
      deliver::ship(opened.sealed, *opened.blobs, engine, request,
                    [&](const deliver::Event& event) { show(event, context.terminal()); });
  context.terminal().clear_progress();
  if (arguments.has("--json")) {
    context.print(to_pretty_json(to_value(result)));
    return 0;
  }
  context.terminal().note(result.plan.why);
  context.print(
      fmt::format("{} {} ({} sent)\n", result.live_name.familiar(), result.image_id, human_size(result.bytes_sent)));
  return 0;
}

}  // namespace

Command ship_command() {
  return {
      .name = "ship",
      .summary = "bring an image to a Docker engine, sending only what it lacks",
      .description =
          "Asks the engine at DOCKER_HOST (default: the one of this machine) what it has, sends the layers that it "
          "lacks under a name "
          "of their own, verifies that the image is whole and a container can be made of it, and only then moves the "
          "live name. When anything goes wrong, the live name still stands for the old image.",
      .positionals = {{"IMAGE",
                       "name:tag of the project's store, oci:DIR[:TAG] or docker-archive:FILE[:TAG] (default: what was "
                       "built last)",
                       Positional::Need::optional}},
      .options = {{"--as", "NAME", "the live name on the engine (default: the image's own)"},
                  {"--dry-run", "", "show what would travel and why; change nothing"},
                  {"--json", "", "print JSON"}},
      .examples = {{"veneer ship", "ship what was built last"},
                   {"veneer ship shop:1.2.0 --as shop:live", "under the name that compose.yaml uses"},
                   {"DOCKER_HOST=unix:///run/user/1000/docker.sock veneer ship --dry-run", "what would it cost?"}},
      .run = run};
}

}  // namespace veneer::cli
