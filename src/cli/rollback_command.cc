#include <fmt/format.h>

#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/open_receiver.hh"
#include "cli/rollout_report.hh"
#include "deliver/rollout/rollout.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"

namespace veneer::cli {

namespace {

constexpr std::uint64_t settle_of_a_known_release = 2;  // seconds: it was well before

int run_rollback(const Arguments& arguments, Context& context) {
  const deliver::EngineName name = live_name_there(arguments, context);
  const OpenedReceiver host = open_ssh_host(arguments, context);
  const deliver::History history = deliver::read_history(*host.session, name);
  const deliver::Release& release = deliver::find_release(history, arguments.number("--to"));
  if (!release.is_present) {
    throw Error(ErrorKind::not_found,
                fmt::format("the image of release {} ({}) is not on the host any more", release.revision,
                            release.image.familiar()),
                fmt::format("check out {} and deploy it: that release sent {} when it was new", release.commit,
                            human_size(release.bytes)));
  }
  context.terminal().note(
      fmt::format("going back to release {} of {}: 0 bytes to send", release.revision, release.time));
  deliver::RolloutRequest request = rollout_options(arguments, context);
  request.kind = deliver::RolloutKind::rollback;
  if (!arguments.has("--settle")) request.settle = settle_of_a_known_release;
  request.live_name = name;
  request.unique_name = release.image;
  request.image_id = "sha256:" + release.id;
  request.commit = release.commit;
  const deliver::RolloutResult result = deliver::roll_out(
      *host.session, request, [&](const std::string& phase) { show_phase(phase, context.terminal()); });
  context.terminal().clear_progress();
  if (arguments.has("--json")) {
    Value document{Value::Table{}};
    add_to(document, result);
    document.set("from", release.revision);
    context.print(to_pretty_json(document));
  } else {
    context.print(fmt::format("{}: {}\n", printable(arguments.value_or("HOST", "")), outcome_text(result)));
  }
  if (result.outcome == deliver::RolloutResult::Outcome::well) return 0;
  return exit_code(result.outcome == deliver::RolloutResult::Outcome::back ? ErrorKind::rolled_back
                                                                           : ErrorKind::failed);
}

}  // namespace

Command rollback_command() {
  std::vector<Option> options = rollout_option_list();
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
      .run = run_rollback};
}

}  // namespace veneer::cli
