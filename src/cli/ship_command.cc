#include <fmt/format.h>

#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/open_image.hh"
#include "cli/open_receiver.hh"
#include "deliver/delivery_plan.hh"
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
    case Kind::connecting: terminal.progress("connecting to " + event.text); break;
    case Kind::asking: terminal.progress("asking the host what it has"); break;
    case Kind::planned: terminal.progress(event.text); break;
    case Kind::sending:
      terminal.progress(fmt::format("sending {} of {}", human_size(event.bytes), human_size(event.total)));
      break;
    case Kind::working: terminal.progress("the engine unpacks"); break;
    case Kind::reconnecting: terminal.note(fmt::format("connection lost ({}); connecting again", event.text)); break;
    case Kind::waiting: terminal.progress("waiting for the host to end what it began"); break;
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
  value.set("round_trips", result.round_trips);
  value.set("sent_whole_after_all", result.sent_whole_after_all);
  value.set("plan", deliver::to_value(result.plan));
  return value;
}

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

int run(const Arguments& arguments, Context& context) {
  const Target target = read_target(arguments);
  const OpenedImage opened = open_image(target.image, context);
  const std::string name = arguments.value_or("--as", opened.name);
  if (!arguments.has("--as") && name.find(':') != std::string::npos &&
      (name.starts_with("oci:") || name.starts_with("docker-archive:"))) {
    throw Error(ErrorKind::usage, "this image needs a name on the engine", "give it one with --as NAME:TAG");
  }
  const OpenedReceiver receiver = open_receiver(target.host, arguments, context);
  deliver::ShipRequest request;
  request.live_name = deliver::parse_engine_name(name);
  request.line = receiver.line;
  if (arguments.has("--no-splice")) request.splice = deliver::SpliceChoice::never;
  const deliver::OnEvent on_event = [&](const deliver::Event& event) { show(event, context.terminal()); };
  if (arguments.has("--dry-run")) {
    const deliver::DeliveryPlan plan = deliver::plan_shipment(opened.sealed, *receiver.receiver, request, on_event);
    context.terminal().clear_progress();
    context.print(arguments.has("--json") ? to_pretty_json(deliver::to_value(plan)) : plan_text(plan));
    return 0;
  }
  const deliver::ShipResult result = deliver::ship(opened.sealed, *opened.blobs, *receiver.receiver, request, on_event);
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
  std::vector<Option> options{{"--as", "NAME", "the live name on the host (default: the image's own)"},
                              {"--dry-run", "", "show what would travel and why; change nothing"}};
  for (Option& option : host_options()) options.push_back(std::move(option));
  options.push_back({"--json", "", "print JSON"});
  return {
      .name = "ship",
      .summary = "bring an image to a host with docker or podman, sending only what it lacks",
      .description =
          "Asks the host what it has, sends the layers that it lacks under a name of their own, verifies that the "
          "image is whole and a container can be made of it, and only then moves the live name. When anything goes "
          "wrong, the live name still stands for the old image.\n\n"
          "A host is ssh://[user@]host[:port], reached by your own ssh with all that ssh_config says and needing "
          "nothing but sh, tar and docker or podman, or unix:///path/of/a/socket. Without one it is what DOCKER_HOST "
          "names, else the engine of this machine. Over ssh a cut line costs what was under way: veneer connects "
          "again and goes on, and so does the same command when it was ended.",
      .positionals = {{"IMAGE-OR-HOST",
                       "IMAGE: name:tag of the project's store, oci:DIR[:TAG] or docker-archive:FILE[:TAG] (default: "
                       "what was built last); HOST: ssh://user@host or unix:///socket",
                       Positional::Need::many}},
      .options = std::move(options),
      .examples = {{"veneer ship ssh://root@plant.example", "ship what was built last to a remote host"},
                   {"veneer ship shop:1.2.0 ssh://plant --as shop:live", "under the name that compose.yaml uses"},
                   {"veneer ship ssh://plant --dry-run --line 1Mbit", "what would it cost?"},
                   {"DOCKER_HOST=unix:///run/user/1000/docker.sock veneer ship", "to another engine of this machine"}},
      .run = run};
}

}  // namespace veneer::cli
