#include "cli/ship_report.hh"

#include <fmt/format.h>

#include "cli/open_receiver.hh"
#include "deliver/delivery_plan.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"

namespace veneer::cli {

deliver::EngineName engine_name_for(const OpenedImage& opened, const Arguments& arguments) {
  if (const auto given = arguments.value("--as")) return deliver::parse_engine_name(*given);
  if (opened.origin == OpenedImage::Origin::store) return deliver::parse_engine_name(opened.name);
  throw Error(ErrorKind::usage, "this image needs a name on the engine", "give it one with --as NAME:TAG");
}

std::string plan_text(const deliver::DeliveryPlan& plan) {
  Table table({"#", "action", "on the wire", "why"}, {0, 2});
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const deliver::Step& step = plan.steps[i];
    table.add({fmt::format("{}", i + 1), std::string(deliver::action_name(step.action)),
               step.bytes == 0 ? "" : human_size(step.bytes), step.why});
  }
  std::string text = fmt::format("{}\n\n{}\n{} on the wire, {} round trip{}\n", plan.why, table.text(),
                                 human_size(plan.bytes), plan.round_trips, plan.round_trips == 1 ? "" : "s");
  for (const std::string& note : plan.notes) text += "note: " + note + "\n";
  return text;
}

void show(const deliver::Event& event, Terminal& terminal, const std::string& host) {
  using Kind = deliver::Event::Kind;
  switch (event.kind) {
    case Kind::connecting: terminal.progress(host + "connecting to " + event.text); break;
    case Kind::asking: terminal.progress(host + "asking the host what it has"); break;
    case Kind::planned: terminal.progress(host + event.text); break;
    case Kind::sending:
      terminal.progress(host + fmt::format("sending {} of {}", human_size(event.bytes), human_size(event.total)));
      break;
    case Kind::helping:
      terminal.note(
          host +
          fmt::format(
              "a helper container reads old layers back on the host; it has no network, and the engine's socket {}",
              printable(event.text)));
      break;
    case Kind::working: terminal.progress(host + "the engine unpacks"); break;
    case Kind::reconnecting:
      terminal.note(host + fmt::format("connection lost ({}); connecting again", event.text));
      break;
    case Kind::waiting: terminal.progress(host + "waiting for the host to end what it began"); break;
    case Kind::verifying: terminal.progress(host + "verifying"); break;
    case Kind::sending_whole:
      terminal.note(host + fmt::format("the engine lacks a layer after all ({}); sending the whole image",
                                       printable(event.text)));
      break;
    case Kind::naming: terminal.progress(host + "naming " + event.text); break;
    case Kind::cleaning_up: terminal.note(host + "removing " + printable(event.text)); break;
  }
}

namespace {

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

}  // namespace

int ship_and_report(const OpenedImage& opened, deliver::Receiver& receiver, const deliver::ShipRequest& request,
                    const Arguments& arguments, Context& context) {
  const deliver::OnEvent on_event = [&](const deliver::Event& event) { show(event, context.terminal()); };
  if (arguments.has("--dry-run")) {
    deliver::Shipment shipment(opened.sealed, *opened.blobs, receiver, request, on_event);
    const deliver::DeliveryPlan& plan = shipment.plan();
    context.terminal().clear_progress();
    context.print(arguments.has("--json") ? to_pretty_json(deliver::to_value(plan)) : plan_text(plan));
    return 0;
  }
  const deliver::ShipResult result = deliver::ship(opened.sealed, *opened.blobs, receiver, request, on_event);
  context.terminal().clear_progress();
  if (arguments.has("--json")) {
    context.print(to_pretty_json(to_value(result)));
    return 0;
  }
  context.terminal().note(result.plan.why);
  for (const std::string& note : result.plan.notes) context.terminal().note("note: " + note);
  context.print(
      fmt::format("{} {} ({} sent)\n", result.live_name.familiar(), result.image_id, human_size(result.bytes_sent)));
  return 0;
}

std::vector<Option> load_options() {
  return {{"--as", "NAME", "the live name on the engine (default: the image's own)"},
          {"--dry-run", "", "show what would be loaded and why; change nothing"},
          {"--json", "", "print JSON"}};
}

int load_here(const OpenedImage& opened, const Arguments& arguments, Context& context) {
  const OpenedReceiver receiver = open_receiver("", arguments, context, ReadBack::wanted);
  deliver::ShipRequest request;
  request.live_name = engine_name_for(opened, arguments);
  request.line = receiver.line;
  request.splice = deliver::SpliceChoice::whenever_possible;
  return ship_and_report(opened, *receiver.receiver, request, arguments, context);
}

}  // namespace veneer::cli
