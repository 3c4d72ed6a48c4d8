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
  const deliver::EngineName name = live_name_there(arguments, context);
  const OpenedReceiver host = open_ssh_host(arguments, context);
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

}  // namespace

Command history_command() {
  return {.name = "history",
          .summary = "list what was deployed to a host",
          .description =
              "Each deploy and rollback, by anybody, with its outcome, commit and bytes; which one is live, and whose "
              "image "
              "is gone from the host.",
          .positionals = {ssh_host_positional()},
          .options = with_ssh_options({}),
          .examples = {{"veneer history ssh://plant", "what runs there since when?"}},
          .run = run_history};
}

}  // namespace veneer::cli
