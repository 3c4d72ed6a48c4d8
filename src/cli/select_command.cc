#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "app/selection_request.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"
#include "foundation/units.hh"
#include "net/http.hh"
#include "python/name.hh"

namespace veneer::cli {

namespace {

constexpr std::uint64_t batch_limit = 256ull << 20;

/// Answers every line of the file. A line that cannot be answered is an answer too; only a file that cannot be read
/// ends the command with an error.
int run_batch(const std::string& path, Context& context) {
  const std::string text = read_text_file(path, batch_limit);
  std::size_t number = 0;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = std::string_view(text).substr(start, end - start);
    start = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Value result;
    try {
      const Value question = parse_json(line);
      const Value* id = question.find("id");
      result.set("id", id == nullptr ? Value() : *id);
      app::SelectionRequest request = app::request_from_json(question);
      request.variables = [&context](const std::string& name) { return context.environment(name); };
      const Value selection = python::selection_to_json(app::answer(request));
      for (const auto& [key, value] : selection.table()) result.set(key, value);
    } catch (const Error& error) {
      if (result.is_null()) result.set("id", Value());
      result.set("error", error.what());
    }
    context.print(to_json(result) + "\n");
    context.terminal().progress(fmt::format("{} selections", number));
  }
  context.terminal().clear_progress();
  return 0;
}

app::SelectionRequest read_request(const Arguments& arguments) {
  const auto names = [&](std::string_view option) { return python::normalised_names(arguments.values(option)); };
  for (const char* required : {"LOCK", "--python"}) {
    if (!arguments.has(required))
      throw Error(ErrorKind::usage, fmt::format("{} is missing", required), "see 'veneer select --help'");
  }
  app::SelectionRequest request;
  request.lock = *arguments.value("LOCK");
  request.target = app::parse_target(*arguments.value("--python"), arguments.value_or("--platform", "linux/amd64"),
                                     arguments.value_or("--libc", "glibc-2.36"));
  python::SelectOptions& options = request.options;
  options.extras = names("--extra");
  if (arguments.has("--all-extras")) options.extra_choice = python::ExtraChoice::all;
  options.groups = names("--group");
  options.excluded_groups = names("--no-group");
  if (arguments.has("--all-groups")) options.group_choice = python::GroupChoice::all;
  if (const auto only = names("--only-group"); !only.empty()) {
    if (!options.groups.empty() || arguments.has("--all-groups") || arguments.has("--default-groups")) {
      throw Error(ErrorKind::usage, "--only-group cannot be used with --group, --all-groups or --default-groups");
    }
    options.groups = only;
    options.project_choice = python::ProjectChoice::groups_alone;
  }
  options.packages = names("--package");
  if (arguments.has("--all-packages")) {
    if (!options.packages.empty()) throw Error(ErrorKind::usage, "--package and --all-packages exclude each other");
    options.member_choice = python::MemberChoice::all;
  }
  if (arguments.has("--default-groups")) request.default_groups = python::DefaultGroups::taken;
  return request;
}

int select(app::SelectionRequest request, bool is_json, Context& context) {
  request.variables = [&context](const std::string& name) { return context.environment(name); };
  const python::Selection selection = app::answer(request);
  if (is_json) {
    context.print(to_pretty_json(python::selection_to_json(selection)));
    return 0;
  }
  Table table({"name", "version", "kind", "size", "file"}, {3});
  for (const python::SelectedPackage& package : selection.packages) {
    table.add({printable(package.name), printable(package.version),
               std::string(python::package_kind_name(package.kind)), package.size ? human_size(*package.size) : "",
               package.file.empty() ? net::display_url(package.location) : printable(package.file)});
  }
  context.print(table.text());
  for (const std::string& name : selection.unusable) {
    context.terminal().warning(fmt::format("{} has no file for this target", printable(name)));
  }
  return 0;
}

Action parse_select(const Arguments& arguments) {
  if (const auto batch = arguments.value("--batch")) {
    if (arguments.has("LOCK"))
      throw Error(ErrorKind::usage, "--batch takes its locks from the file, not from the command line");
    return [batch](Context& context) { return run_batch(*batch, context); };
  }
  const app::SelectionRequest request = read_request(arguments);
  const bool is_json = arguments.has("--json");
  return [=](Context& context) { return select(request, is_json, context); };
}

}  // namespace

Command select_command() {
  return {
      .name = "select",
      .summary = "show which files a lock installs for a target",
      .description =
          "Reads uv.lock, pylock.toml or requirements.txt and prints what would be installed: the production "
          "dependencies "
          "unless options say otherwise. Nothing is downloaded. Packages without a usable file are listed as unusable. "
          "A "
          "requirements.txt names versions and no files, so kind and file are not known there.\n\n"
          "With --batch, FILE holds one JSON object a line: {\"id\", \"lock\", \"python\", \"platform\", \"libc\", "
          "\"extras\": [...] or "
          "\"all\", \"groups\": [...] or \"all\", \"no_groups\": [...], \"only_groups\": [...], \"default_groups\": "
          "bool, "
          "\"packages\": [...] or \"all\"}. One object a line comes out: {\"id\", \"packages\", \"unusable\"} or "
          "{\"id\", \"error\"}.",
      .positionals = {{"LOCK", "uv.lock, pylock.toml or requirements.txt", Positional::Need::optional}},
      .options = {{"--python", "VERSION", "full version of the target's Python, 3.12.7 or 3.13.1t (free-threaded)"},
                  {"--platform", "PLATFORM", "the target's platform (default linux/amd64)"},
                  {"--libc", "LIBC", "the target's C library (default glibc-2.36)"},
                  {"--extra", "NAME", "take this extra too", Option::Repeat::many},
                  {"--all-extras", "", "take all extras"},
                  {"--group", "NAME", "take this dependency group too", Option::Repeat::many},
                  {"--no-group", "NAME", "leave this dependency group out, whatever else is said",
                   Option::Repeat::many},
                  {"--only-group", "NAME", "take this dependency group and not the project", Option::Repeat::many},
                  {"--all-groups", "", "take all dependency groups"},
                  {"--default-groups", "", "take the groups that uv sync takes by default"},
                  {"--package", "NAME", "for this member of the workspace", Option::Repeat::many},
                  {"--all-packages", "", "for all members of the workspace"},
                  {"--batch", "FILE", "answer every line of FILE"},
                  {"--json", "", "print JSON"}},
      .examples = {{"veneer select uv.lock --python 3.12.7", "what a Debian 12 image for amd64 gets"},
                   {"veneer select uv.lock --python 3.13.1 --platform linux/arm64 --libc musl-1.2 --json",
                    "for another machine, for scripts"},
                   {"veneer select --batch questions.jsonl", "many at once"}},
      .parse = parse_select};
}

}  // namespace veneer::cli
