#include <fmt/format.h>

#include "app/init_project.hh"
#include "cli/build_options.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "setup/unified_diff.hh"

namespace veneer::cli {

namespace {

struct WantedInit {
  app::InitRequest request;
  enum class Extent { write, show, check } extent = Extent::write;
  bool is_json = false;
};

std::string_view word_of(const app::InitFile& file) {
  using setup::FileState;
  switch (file.comparison.state) {
    case FileState::absent: return "new";
    case FileState::same: return "up to date";
    case FileState::ours: return "renewed";
    case FileState::edited: return file.comparison.is_stale ? "edited, stale" : "edited";
    case FileState::theirs: return "not veneer's";
  }
  return "";
}

std::string lines_text(const app::InitPlan& plan) {
  if (plan.lines.empty()) return "";
  Table table({"line", "", "becomes", "not taken"});
  for (const setup::LineOutcome& line : plan.lines) table.add({line.place, line.line, line.becomes, line.why});
  return table.text() + "\n";
}

std::string text_of(const app::InitPlan& plan) {
  std::string text = lines_text(plan);
  Table table({"file", "", "what it is for"});
  const bool is_edited = plan.edited.text != plan.pyproject_before;
  table.add({"pyproject.toml", is_edited ? fmt::format("{} keys added", plan.edited.added.size()) : "up to date",
             "[tool.veneer]: what the image has that cannot be found out"});
  for (const app::InitFile& file : plan.files)
    table.add({printable(file.shown), std::string(word_of(file)), file.file.why});
  text += table.text();
  return text;
}

/// What is to be looked at: pyproject.toml, files whose owners changed them, and with --dry-run what is written.
std::string diffs_of(const app::InitPlan& plan, WantedInit::Extent extent) {
  std::string text = setup::unified_diff(plan.pyproject_before, plan.edited.text, "pyproject.toml");
  for (const app::InitFile& file : plan.files) {
    const bool is_theirs =
        file.comparison.state == setup::FileState::edited || file.comparison.state == setup::FileState::theirs;
    if (is_theirs || (extent != WantedInit::Extent::write && file.is_to_be_written()))
      text += setup::unified_diff(file.on_disk.value_or(""), file.text, file.shown);
  }
  return text.empty() ? "" : "\n" + text;
}

void say(const app::InitPlan& plan, WantedInit::Extent extent, Terminal& terminal) {
  for (const std::string& note : plan.notes) terminal.note(note);
  for (const setup::Setting& kept : plan.edited.kept) {
    terminal.note(fmt::format("{} of [{}] stays as it is; by {} it would be {}", kept.key, kept.table,
                              kept.why.empty() ? "veneer init" : kept.why, printable(setup::toml_lines(kept), 200)));
  }
  std::string lines;
  for (const setup::Setting& unplaced : plan.edited.unplaced)
    lines += fmt::format("\n  [{}] {}", unplaced.table, setup::toml_lines(unplaced));
  if (!lines.empty())
    terminal.warning("pyproject.toml has no place for these lines in the form that it has; add them:" + lines);
  for (const app::InitFile& file : plan.files) {
    using setup::FileState;
    if (file.comparison.state == FileState::edited)
      terminal.note(
          fmt::format("{} was changed by hand and stays; the diff leads to what veneer would write", file.shown));
    if (file.comparison.state == FileState::theirs)
      terminal.note(fmt::format("{} is not veneer's and stays; the diff leads to what veneer would write", file.shown));
  }
  if (extent == WantedInit::Extent::write && !plan.dockerfile.empty() && plan.edited.text != plan.pyproject_before)
    terminal.note(
        fmt::format("{} is not read any more; it can be deleted when the image is as you want it", plan.dockerfile));
}

Value to_value(const app::InitPlan& plan) {
  Value document;
  document.set("stale", plan.is_stale());
  Value pyproject;
  pyproject.set("changed", plan.edited.text != plan.pyproject_before);
  pyproject.set("diff", setup::unified_diff(plan.pyproject_before, plan.edited.text, "pyproject.toml"));
  document.set("pyproject", std::move(pyproject));
  Value::Array files;
  for (const app::InitFile& file : plan.files) {
    Value row;
    row.set("name", file.shown);
    row.set("state", word_of(file));
    row.set("stale", file.comparison.is_stale);
    files.push_back(std::move(row));
  }
  document.set("files", std::move(files));
  Value::Array lines;
  for (const setup::LineOutcome& line : plan.lines) {
    Value row;
    row.set("place", line.place);
    row.set("line", line.line);
    row.set("becomes", line.becomes);
    row.set("why", line.why);
    lines.push_back(std::move(row));
  }
  document.set("dockerfile", std::move(lines));
  Value::Array notes;
  for (const std::string& note : plan.notes) notes.emplace_back(note);
  document.set("notes", std::move(notes));
  return document;
}

int init(const WantedInit& wanted, Context& context) {
  const app::InitPlan plan = app::plan_init(wanted.request, context);
  context.terminal().clear_progress();
  if (wanted.is_json) {
    context.print(to_pretty_json(to_value(plan)));
  } else {
    say(plan, wanted.extent, context.terminal());
    context.print(text_of(plan) + diffs_of(plan, wanted.extent));
  }
  if (wanted.extent == WantedInit::Extent::write) app::carry_out(plan);
  if (wanted.extent != WantedInit::Extent::check || !plan.is_stale()) return 0;
  context.terminal().error("what veneer init wrote is stale", "run: veneer init, and commit what it changes");
  return exit_code(ErrorKind::gate);
}

Action parse_init(const Arguments& arguments) {
  WantedInit wanted;
  if (arguments.has("--check") && arguments.has("--dry-run"))
    throw Error(ErrorKind::usage, "--check and --dry-run exclude each other");
  if (arguments.has("--dry-run")) wanted.extent = WantedInit::Extent::show;
  if (arguments.has("--check")) {
    wanted.extent = WantedInit::Extent::check;
    wanted.request.purpose = app::InitPurpose::check;
  }
  if (const auto rebuild = arguments.value("--rebuild")) {
    if (*rebuild != "stale" && *rebuild != "weekly")
      throw Error(ErrorKind::usage, fmt::format("--rebuild {}: it is stale or weekly", printable(*rebuild)));
    wanted.request.rebuild = *rebuild == "weekly" ? setup::Rebuild::weekly : setup::Rebuild::stale;
  }
  if (arguments.has("--no-ci")) wanted.request.makes_workflow = false;
  if (arguments.has("--no-make")) wanted.request.makes_makefile = false;
  if (arguments.has("--docker")) wanted.request.is_for_docker = true;
  wanted.is_json = arguments.has("--json");
  return [wanted](Context& context) { return init(wanted, context); };
}

}  // namespace

Command init_command() {
  return {
      .name = "init",
      .summary = "set a project up: [tool.veneer], make targets, a workflow, a page",
      .description =
          "Reads the project, its git repository, Dockerfile and compose file, and writes what it found: keys of "
          "[tool.veneer] into pyproject.toml, whose other bytes stay; veneer.mk, targets for make; a workflow for "
          "GitHub "
          "Actions; docs/container-image.md, a page with what deploys of the last tags had to bring. Nothing is asked, "
          "built or fetched. Each line of a Dockerfile comes to a key, or is named with the reason why it does not.\n\n"
          "The first line of each file that it makes has the hash of the others: run again, it renews what is its own, "
          "and leaves what was changed by hand, of which it shows the difference. Without that line the file is yours. "
          "--check says by exit code 10 that something is stale.",
      .options =
          {{"--rebuild", "WHEN",
            "when the base is brought up to date: stale, by 'veneer base update' (default), or weekly, by a pull "
            "request of the workflow"},
           {"--no-ci", "", "no workflow for GitHub Actions"},
           {"--no-make", "", "no veneer.mk"},
           {"--docker", "",
            "for who stays with docker build: Dockerfile.base, Dockerfile, .dockerignore when there is none, and "
            "veneer.mk for these, in place of workflow and page"},
           {"--dry-run", "", "show what would be written; write nothing"},
           {"--check", "",
            "write nothing; exit with code 10 when something would be written, or an edited file "
            "was made of what has changed since"},
           project_option(),
           {"--json", "", "print JSON"}},
      .examples = {{"veneer init", "in a uv project, with a Dockerfile or without"},
                   {"veneer init --dry-run", "look first"},
                   {"veneer init --rebuild weekly", "with a pull request for the base each week"},
                   {"veneer init --docker", "Dockerfiles whose layers stay the same while the code changes"},
                   {"veneer init --check", "in CI: are the generated files up to date?"}},
      .parse = parse_init};
}

}  // namespace veneer::cli
