#include "cli/ship_report.hh"

#include <fmt/format.h>

#include "cli/context.hh"
#include "cli/host_options.hh"
#include "deliver/delivery_plan.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/units.hh"

namespace veneer::cli {

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

void show(const deliver::Event& event, app::Messages& messages, const std::string& host) {
  using Kind = deliver::Event::Kind;
  switch (event.kind) {
    case Kind::connecting: messages.progress(host + "connecting to " + event.text); break;
    case Kind::asking: messages.progress(host + "asking the host what it has"); break;
    case Kind::planned: messages.progress(host + event.text); break;
    case Kind::sending:
      messages.progress(host + fmt::format("sending {} of {}", human_size(event.bytes), human_size(event.total)));
      break;
    case Kind::helping:
      messages.note(
          host +
          fmt::format(
              "a helper container reads old layers back on the host; it has no network, and the engine's socket {}",
              printable(event.text)));
      break;
    case Kind::working: messages.progress(host + "the engine unpacks"); break;
    case Kind::reconnecting:
      messages.note(host + fmt::format("connection lost ({}); connecting again", event.text));
      break;
    case Kind::waiting:
      messages.progress(host + (event.text.empty() ? "waiting for another ship" : "waiting for the " + event.text));
      break;
    case Kind::verifying: messages.progress(host + "verifying"); break;
    case Kind::sending_whole:
      messages.note(host + fmt::format("the engine lacks a layer after all ({}); sending the whole image",
                                       printable(event.text)));
      break;
    case Kind::naming: messages.progress(host + "naming " + event.text); break;
    case Kind::cleaning_up: messages.note(host + "removing " + printable(event.text)); break;
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

std::vector<Option> load_options() {
  return {{"--as", "NAME", "the live name on the engine (default: the image's own)"},
          {"--dry-run", "", "show what would be loaded and why; change nothing"},
          {"--json", "", "print JSON"}};
}

ShipOptions read_ship_options(const std::string& address, const Arguments& arguments) {
  ShipOptions options;
  options.host = read_host_request(address, arguments);
  options.live_name = read_live_name(arguments);
  if (arguments.has("--no-splice")) options.splice = deliver::SpliceChoice::never;
  if (arguments.has("--dry-run")) options.extent = ShipOptions::Extent::plan;
  if (arguments.has("--json")) options.form = ShipOptions::Form::json;
  return options;
}

ShipOptions read_load_options(const Arguments& arguments) {
  ShipOptions options = read_ship_options("", arguments);
  options.host.read_back = app::ReadBack::wanted;
  options.splice = deliver::SpliceChoice::whenever_possible;
  return options;
}

void check_name(const ShipOptions& options, const app::WantedImage& wanted) {
  if (options.live_name || app::has_a_name(wanted)) return;
  throw Error(ErrorKind::usage, "this image needs a name on the engine", "give it one with --as NAME:TAG");
}

deliver::EngineName name_for(const app::OpenedImage& image, const std::optional<deliver::EngineName>& given) {
  return given ? *given : deliver::engine_name_of(image.reference.value());
}

int ship_and_report(const app::OpenedImage& opened, const app::OpenedReceiver& receiver, const ShipOptions& options,
                    Context& context) {
  const deliver::OnEvent on_event = [&](const deliver::Event& event) { show(event, context.terminal()); };
  const bool is_json = options.form == ShipOptions::Form::json;
  deliver::ShipRequest request;
  request.live_name = name_for(opened, options.live_name);
  request.line = receiver.line;
  request.splice = options.splice;
  if (options.extent == ShipOptions::Extent::plan) {
    deliver::Shipment shipment(opened.sealed, *opened.blobs, *receiver.receiver, request, on_event);
    const deliver::DeliveryPlan& plan = shipment.plan();
    context.terminal().clear_progress();
    context.print(is_json ? to_pretty_json(deliver::to_value(plan)) : plan_text(plan));
    return 0;
  }
  const deliver::ShipResult result = deliver::ship(opened.sealed, *opened.blobs, *receiver.receiver, request, on_event);
  context.terminal().clear_progress();
  if (is_json) {
    context.print(to_pretty_json(to_value(result)));
    return 0;
  }
  context.terminal().note(result.plan.why);
  for (const std::string& note : result.plan.notes) context.terminal().note("note: " + note);
  context.print(
      fmt::format("{} {} ({} sent)\n", result.live_name.familiar(), result.image_id, human_size(result.bytes_sent)));
  return 0;
}

}  // namespace veneer::cli
