#include <fmt/format.h>

#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/open_image.hh"
#include "cli/open_receiver.hh"
#include "cli/rollout_report.hh"
#include "deliver/rollout/rollout.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"

namespace veneer::cli {

namespace {

// The live name: --as, else that of what was built last here, as deploy chooses it.
deliver::EngineName live_name(const Arguments& arguments, Context& context) {
  if (const auto given = arguments.value("--as")) return deliver::parse_engine_name(*given);
  const auto last = read_text_file_if_exists(project_store(context.current_folder()) / "last", 4096);
  if (!last)
    throw Error(ErrorKind::usage, "which live name?", "give it by --as NAME:TAG, or be in the project's folder");
  return deliver::parse_engine_name(last->substr(0, last->rfind(':')) + ":latest");
}

OpenedReceiver open_host(const Arguments& arguments, Context& context) {
  const std::string host = arguments.value_or("HOST", "");
  if (!host.starts_with("ssh://")) {
    throw Error(ErrorKind::usage, fmt::format("'{}' is no host reached by ssh", printable(host)),
                "write ssh://[user@]host");
  }
  return open_receiver(host, arguments, context);
}

Value to_value(const deliver::Release& release, const deliver::History& history) {
  Value row{Value::Table{}};
  row.set("revision", release.revision);
  row.set("time", release.time);
  row.set("kind", release.kind);
  row.set("outcome", release.outcome);
  row.set("image", release.image.familiar());
  row.set("id", "sha256:" + release.id);
  row.set("who", release.who);
  row.set("commit", release.commit);
  row.set("bytes", release.bytes);
  row.set("seconds", release.seconds);
  row.set("live", release.id == history.live_id);
  row.set("present", release.is_present);
  return row;
}

int run_history(const Arguments& arguments, Context& context) {
  const deliver::EngineName name = live_name(arguments, context);
  const OpenedReceiver host = open_host(arguments, context);
  const deliver::History history = deliver::read_history(*host.session, name);
  if (arguments.has("--json")) {
    Value::Array rows;
    for (const deliver::Release& release : history.releases) rows.push_back(to_value(release, history));
    Value document{Value::Table{}};
    document.set("name", name.familiar());
    document.set("releases", std::move(rows));
    context.print(to_pretty_json(document));
    return 0;
  }
  Table table({"#", "when", "what", "outcome", "commit", "who", "sent", "image", ""}, {0, 6});
  for (const deliver::Release& release : history.releases) {
    const std::string state = release.id == history.live_id && release.outcome == "well" ? "live"
                              : release.is_present                                       ? ""
                                                                                         : "gone";
    table.add({std::to_string(release.revision), release.time, release.kind, release.outcome, release.commit,
               release.who, human_size(release.bytes), release.image.tag, state});
  }
  context.print(history.releases.empty() ? fmt::format("nothing was deployed there as {}\n", name.familiar())
                                         : table.text());
  return 0;
}

int run_rollback(const Arguments& arguments, Context& context) {
  const deliver::EngineName name = live_name(arguments, context);
  const OpenedReceiver host = open_host(arguments, context);
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

std::vector<Option> with_host_options(std::vector<Option> options) {
  options.push_back({"--as", "NAME", "the live name (default: that of the project here, with :latest)"});
  for (Option& option : host_options()) {
    if (option.names != "--line" && option.names != "--no-splice") options.push_back(std::move(option));
  }
  options.push_back({"--json", "", "print JSON"});
  return options;
}

const Positional host_positional{"HOST", "ssh://[user@]host[:port]", Positional::Need::required};

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
      .positionals = {host_positional},
      .options = with_host_options(std::move(options)),
      .examples = {{"veneer rollback ssh://plant", "back to what ran before"},
                   {"veneer rollback ssh://plant --to 12 --as shop:live", "back to release 12"}},
      .run = run_rollback};
}

Command history_command() {
  return {.name = "history",
          .summary = "list what was deployed to a host",
          .description =
              "Each deploy and rollback, by anybody, with its outcome, commit and bytes; which one is live, and whose "
              "image "
              "is gone from the host.",
          .positionals = {host_positional},
          .options = with_host_options({}),
          .examples = {{"veneer history ssh://plant", "what runs there since when?"}},
          .run = run_history};
}

}  // namespace veneer::cli
