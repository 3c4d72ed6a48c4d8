#include <fmt/format.h>

#include <set>

#include "app/check_image.hh"
#include "app/repeat_prepare.hh"
#include "cli/build_options.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "image/places/image_names.hh"

namespace veneer::cli {

namespace {

constexpr int exit_problem = 10;

std::string_view severity_name(check::Severity severity) {
  switch (severity) {
    case check::Severity::problem: return "problem";
    case check::Severity::note: return "note";
    case check::Severity::detail: return "detail";
  }
  return "";
}

Value to_value(const app::OpenedImage& opened, const check::CheckReport& report, const std::set<std::string>& allowed) {
  Value::Array findings;
  for (const check::Finding& finding : report.findings) {
    Value one;
    one.set("id", finding.id);
    one.set("severity", severity_name(finding.severity));
    one.set("message", finding.message);
    one.set("allowed", allowed.contains(finding.id));
    findings.push_back(std::move(one));
  }
  Value value;
  value.set("image", opened.name);
  value.set("manifest", opened.sealed.manifest_digest.text());
  value.set("distributions", std::uint64_t{report.distributions});
  value.set("libraries", std::uint64_t{report.libraries});
  value.set("scripts", std::uint64_t{report.scripts});
  value.set("imports", std::uint64_t{report.imports});
  value.set("without_imports", report.without_imports.empty() ? Value() : Value(report.without_imports));
  value.set("findings", std::move(findings));
  return value;
}

struct WantedCheck {
  app::WantedImage image;
  check::ImportChoice imports = check::ImportChoice::tried;
  std::set<std::string> allowed;
  bool is_repeated = false;
  bool is_verbose = false;
  bool is_json = false;
};

int check_image(const WantedCheck& wanted, Context& context) {
  Terminal& terminal = context.terminal();
  const app::OpenedImage opened = app::open_image(wanted.image, context);
  check::CheckReport report = app::check_image(opened, wanted.imports, context);
  if (wanted.is_repeated) {
    for (check::Finding& finding : app::repeat_prepare(opened, context)) report.findings.push_back(std::move(finding));
  }
  std::size_t problems = 0;
  std::set<std::string> met;
  for (const check::Finding& finding : report.findings) {
    met.insert(finding.id);
    if (finding.severity == check::Severity::problem && !wanted.allowed.contains(finding.id)) ++problems;
  }
  if (!wanted.is_verbose) {
    std::erase_if(report.findings, [](const auto& finding) { return finding.severity == check::Severity::detail; });
  }
  if (wanted.is_json) {
    context.print(to_pretty_json(to_value(opened, report, wanted.allowed)));
    return problems == 0 ? 0 : exit_problem;
  }
  for (const check::Finding& finding : report.findings) {
    const std::string_view mark = wanted.allowed.contains(finding.id) ? "allowed" : severity_name(finding.severity);
    context.print(fmt::format("{:8} {}\n         {}\n", mark, printable(finding.id), finding.message));
  }
  for (const std::string& id : wanted.allowed) {
    if (!met.contains(id))
      terminal.warning(fmt::format("--allow {}: nothing was found under that name", printable(id)));
  }
  if (!report.without_imports.empty()) {
    terminal.warning(fmt::format("imports were not tried: {}", report.without_imports));
  }
  terminal.note(fmt::format("{}: {} distributions, {} programs and libraries, {} scripts, {} imports; {}",
                            printable(opened.name), report.distributions, report.libraries, report.scripts,
                            report.imports,
                            problems == 0   ? "no problem"
                            : problems == 1 ? "1 problem"
                                            : fmt::format("{} problems", problems)));
  return problems == 0 ? 0 : exit_problem;
}

Action parse_check(const Arguments& arguments) {
  WantedCheck wanted;
  wanted.image = app::parse_wanted_image(arguments.value_or("IMAGE", ""), arguments.value("--platform"));
  if (arguments.has("--no-imports")) wanted.imports = check::ImportChoice::left_out;
  for (const std::string& id : arguments.values("--allow")) wanted.allowed.insert(id);
  wanted.is_repeated = arguments.has("--repeat");
  wanted.is_verbose = arguments.has("--verbose");
  wanted.is_json = arguments.has("--json");
  return [wanted](Context& context) { return check_image(wanted, context); };
}

}  // namespace

Command check_command() {
  return {
      .name = "check",
      .summary = "find out whether an image works",
      .description =
          "Reads an image and looks for what would fail when it runs: requirements that are not installed or have "
          "another version (as pip check), libraries that programs and extension modules need and the image lacks, "
          "symbol versions that its C library does not have, scripts whose interpreter is not there, files that the "
          "image's user may not read; an application that is empty, a command that is python alone, a home that cannot "
          "be written to, certificates that are missing. Then what it starts, the project's own modules, and every "
          "module at the top of its environments and every command are imported by the image's own interpreter, in a "
          "sandbox without network, as the image's user.\n\n"
          "Modules that want an extra that was not selected, parts that a distribution can do without, and their like "
          "are no faults and are shown with --verbose. What wants variables that a container will have is a note.\n\n"
          "Exit code 10: a problem was found that is not allowed. A problem is named by its id, as in "
          "library:libcuda.so.1.",
      .positionals = {{"IMAGE", image::image_forms() + " (default: what was built last)", Positional::Need::optional}},
      .options = {{"--allow", "ID", "do not count the problem of this id", Option::Repeat::many},
                  {"--no-imports", "", "run nothing of the image"},
                  {"--repeat", "", "prepare its files twice, as the project here says, and show what differs"},
                  {"--verbose", "", "also what images that work have: optional imports, extras that were not selected"},
                  project_option(),
                  image_platform_option(),
                  insecure_option(),
                  authority_option(),
                  {"--json", "", "print JSON"}},
      .examples = {{"veneer check", "the image that was built last"},
                   {"veneer check --repeat", "and whether its prepared files are the same each time"},
                   {"veneer check docker-archive:saved.tar --allow library:libcuda.so.1",
                    "an image that docker saved; the driver comes from the host"}},
      .parse = parse_check};
}

}  // namespace veneer::cli
