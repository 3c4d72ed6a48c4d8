#include <fmt/format.h>

#include "app/releases.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/rollout_options.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/units.hh"

namespace veneer::cli {

namespace {

Value to_value(const deliver::Release& release, const deliver::History& history) {
  Value row{Value::Table{}};
  row.set("revision", release.revision);
  row.set("time", release.time);
  row.set("kind", release.kind);
  row.set("outcome", std::string(outcome_name(release.outcome)));
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

Value to_value(const app::Releases& releases) {
  Value::Array rows;
  for (const deliver::Release& release : releases.history.releases) {
    rows.push_back(to_value(release, releases.history));
  }
  Value document{Value::Table{}};
  document.set("name", releases.live_name.familiar());
  document.set("releases", std::move(rows));
  return document;
}

std::string text_of(const app::Releases& releases) {
  const deliver::History& history = releases.history;
  if (history.releases.empty()) return fmt::format("nothing was deployed there as {}\n", releases.live_name.familiar());
  Table table({"#", "when", "what", "outcome", "commit", "who", "sent", "image", ""}, {0, 6});
  for (const deliver::Release& release : history.releases) {
    const std::string state = release.id == history.live_id && release.outcome == deliver::ReleaseOutcome::well ? "live"
                              : release.is_present                                                              ? ""
                                                   : "gone";
    table.add({std::to_string(release.revision), release.time, release.kind, std::string(outcome_name(release.outcome)),
               release.commit, release.who, human_size(release.bytes), release.image.tag, state});
  }
  return table.text();
}

Action parse_history(const Arguments& arguments) {
  const app::ReleasesRequest request = read_releases_request(arguments);
  const bool is_json = arguments.has("--json");
  return [=](Context& context) {
    const app::Releases releases = app::read_releases(request, context);
    context.print(is_json ? to_pretty_json(to_value(releases)) : text_of(releases));
    return 0;
  };
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
          .parse = parse_history};
}

}  // namespace veneer::cli
