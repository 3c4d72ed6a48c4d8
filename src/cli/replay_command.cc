#include <fmt/format.h>

#include "app/deploy_history.hh"
#include "app/project_history.hh"
#include "cli/build_options.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"
#include "python/name.hh"
#include "replay/page.hh"
#include "replay/replay.hh"

namespace veneer::cli {

namespace {

constexpr std::uint64_t usual_cap = 60;
constexpr std::uint64_t most_layers = 10'000;

std::string costs_text(const replay::Costs& costs) {
  std::string text =
      fmt::format("{}: {} deploys with a lock, {} of them with another set of dependencies; the first is not counted\n",
                  printable(costs.project), costs.deploys(), costs.set_changes);
  const auto add = [&](const replay::NamedLayouts& layouts, std::string what) {
    Table table({std::move(what), "all deploys", "a deploy", "× bound"}, {1, 2, 3});
    for (const replay::CostRow& row : replay::cost_rows(costs, layouts))
      table.add({row.name, row.all, row.each, row.times});
    text += "\n" + table.text();
  };
  add(replay::named_layouts(), "dependencies as");
  if (costs.has_application) add(replay::named_application_layouts(), "application as");
  if (costs.estimated > 0) text += "\nestimates: " + replay::estimate_text(costs) + "\n";
  return text;
}

struct WantedReplay {
  std::vector<std::string> records;  // none: the project's own history
  app::ProjectHistoryRequest project;
  std::uint64_t cap = usual_cap;
  std::optional<std::string> html;  // the file to write
  bool is_json = false;
};

std::vector<replay::History> histories_of(const WantedReplay& wanted, Context& context) {
  std::vector<replay::History> histories;
  for (const std::string& file : wanted.records) {
    context.terminal().progress(fmt::format("reading {}", printable(file)));
    histories.push_back(
        in_context([&] { return "reading " + printable(file); }, [&] { return app::read_deploy_history(file); }));
  }
  if (wanted.records.empty()) {
    app::ProjectHistory project = app::read_project_history(wanted.project, context);
    context.terminal().note(project.events == app::DeployEvents::tags
                                ? "each tag counts as a deploy (--commits: each commit)"
                                : "each commit counts as a deploy (--tags: each tag)");
    if (project.reach == python::History::shallow) {
      context.terminal().note(
          "this clone is shallow: what lies before it is not counted (git fetch --unshallow --tags)");
    }
    histories.push_back(std::move(project.history));
  }
  context.terminal().clear_progress();
  return histories;
}

int replay(const WantedReplay& wanted, Context& context) {
  std::vector<replay::Costs> all;
  for (const replay::History& history : histories_of(wanted, context))
    all.push_back(replay::replay(history, wanted.cap));
  if (wanted.html) {
    write_text_file(*wanted.html, replay::page(all));
    context.terminal().note(fmt::format("wrote {}", printable(*wanted.html)));
  }
  if (wanted.is_json) {
    Value::Array projects;
    for (const replay::Costs& costs : all) projects.push_back(replay::to_value(costs));
    Value document;
    document.set("projects", std::move(projects));
    context.print(to_pretty_json(document));
  } else if (!wanted.html) {
    std::string text;
    for (const replay::Costs& costs : all) text += (text.empty() ? "" : "\n") + costs_text(costs);
    context.print(text);
  }
  return 0;
}

Action parse_replay(const Arguments& arguments) {
  WantedReplay wanted;
  wanted.records = arguments.values("--records");
  for (const char* option : {"PROJECT", "--tags", "--commits", "--python", "--platform", "--extra", "--group"}) {
    if (!wanted.records.empty() && arguments.has(option)) {
      throw Error(ErrorKind::usage, fmt::format("{} is for the project's own history, not for --records", option));
    }
  }
  if (arguments.has("--tags") && arguments.has("--commits")) {
    throw Error(ErrorKind::usage, "--tags and --commits exclude each other");
  }
  if (arguments.has("PROJECT") && arguments.has("--project")) {
    throw Error(ErrorKind::usage, "PROJECT and --project exclude each other");
  }
  app::ProjectHistoryRequest& project = wanted.project;
  if (const auto folder = arguments.value("PROJECT")) project.folder = *folder;
  if (arguments.has("--tags")) project.events = app::DeployEvents::tags;
  if (arguments.has("--commits")) project.events = app::DeployEvents::commits;
  project.target = read_past_target(arguments);
  project.extras = python::normalised_names(arguments.values("--extra"));
  project.groups = python::normalised_names(arguments.values("--group"));
  wanted.cap = arguments.number("--cap", 1, most_layers).value_or(usual_cap);
  wanted.html = arguments.value("--html");
  wanted.is_json = arguments.has("--json");
  return [wanted](Context& context) { return replay(wanted, context); };
}

}  // namespace

Command replay_command() {
  return {
      .name = "replay",
      .summary = "show what past deploys would have cost under different layouts of the image",
      .description =
          "Reads the locks of the project's git history, one for each tag (or commit), and adds up the bytes of "
          "dependencies that each deploy but the first would have brought: with everything in one layer, with a base "
          "image, with one layer of dependencies, and with layers that are shared out as the last plan left them, for "
          "hosts that reuse any layer and for those that reuse a prefix. A second table is about the application's own "
          "files, each compressed by itself. Nothing is built, and nobody is asked: a clone of any project is enough. "
          "A lock that was renamed is followed; what a lock does not say the size of is estimated, and that is said. "
          "With --records the deploys come from files (docs/formats.md).",
      .positionals = {{"PROJECT", "the folder with pyproject.toml in a clone (default: here)",
                       Positional::Need::optional}},
      .options = {{"--tags", "", "each tag is a deploy (default where there are two or more)"},
                  {"--commits", "", "each commit that touches the project is a deploy"},
                  {"--python", "VERSION",
                   "the target's Python (default: 3.13, or one near that pyproject.toml allows)"},
                  {"--platform", "PLATFORM", "the target's platform (default linux/amd64)"},
                  {"--extra", "NAME", "take this extra too", Option::Repeat::many},
                  {"--group", "NAME", "take this dependency group too", Option::Repeat::many},
                  {"--records", "FILE", "records of a project, as JSON lines or as .xz of them", Option::Repeat::many},
                  {"--cap", "N", "at most this many layers for dependencies (default 60)"},
                  project_option(),
                  {"--html", "FILE", "write a page with charts instead of the table"},
                  {"--json", "", "print JSON"}},
      .examples = {{"veneer replay", "what each layout would have cost so far"},
                   {"veneer replay ../clone/backend", "the same of another project"},
                   {"veneer replay --commits --cap 40", "with a deploy for each commit and fewer layers"},
                   {"veneer replay --records a.jsonl.xz --records b.jsonl --json", "of other projects, for scripts"},
                   {"veneer replay --html replay.html", "a page to look at, which needs nothing else"}},
      .parse = parse_replay};
}

}  // namespace veneer::cli
