#include <fmt/format.h>

#include "app/releases.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/rollout_options.hh"
#include "cli/rollout_report.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"

namespace veneer::cli {

namespace {

enum class RollbackForm { text, json };

int roll_back(const app::RollbackRequest& request, RollbackForm form, Context& context) {
  const auto on_found = [&](const deliver::Release& release) {
    context.terminal().note(
        fmt::format("going back to release {} of {}: 0 bytes to send", release.revision, release.time));
  };
  const app::RolledBack back = app::roll_back(request, context, on_found,
                                              [&](const std::string& phase) { show_phase(phase, context.terminal()); });
  context.terminal().clear_progress();
  if (form == RollbackForm::json) {
    Value document{Value::Table{}};
    add_to(document, back.result);
    document.set("from", back.to.revision);
    context.print(to_pretty_json(document));
  } else {
    context.print(fmt::format("{}: {}\n", printable(request.there.host.address), outcome_text(back.result)));
  }
  return exit_code_of(back.result);
}

Action parse_rollback(const Arguments& arguments) {
  app::RollbackRequest request;
  request.there = read_releases_request(arguments);
  request.revision = arguments.number("--to");
  request.rollout = read_rollout_request(arguments);
  const RollbackForm form = arguments.has("--json") ? RollbackForm::json : RollbackForm::text;
  return [=](Context& context) { return roll_back(request, form, context); };
}

}  // namespace

Command rollback_command() {
  std::vector<Option> options = rollout_options();
  options.insert(options.begin(), {"--to", "N", "the release to go back to (default: the one before)"});
  return {
      .name = "rollback",
      .summary = "bring the release before back into service",
      .description =
          "Moves the live name to an earlier release, restarts the services that use it and waits for their health. "
          "The image is on the host, so nothing travels; when it was removed there, that is said and nothing changes.",
      .positionals = {ssh_host_positional()},
      .options = with_ssh_options(std::move(options)),
      .examples = {{"veneer rollback ssh://plant", "back to what ran before"},
                   {"veneer rollback ssh://plant --to 12 --as shop:live", "back to release 12"}},
      .parse = parse_rollback};
}

}  // namespace veneer::cli
