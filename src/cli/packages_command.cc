#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "app/package_list.hh"
#include "base/machine.hh"
#include "cli/build_options.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/text.hh"
#include "foundation/units.hh"
#include "image/platform.hh"
#include "python/project/project.hh"

namespace veneer::cli {

namespace {

using base::ListedPackage;
using base::PackageCost;
using Verdict = ListedPackage::Verdict;

struct WantedPackages {
  app::PackageListQuestion question;
  bool is_json = false;
};

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::runs: return "runs";
    case Verdict::builds: return "builds";
    case Verdict::present: return "present";
    case Verdict::unknown: break;
  }
  return "unknown";
}

std::string remark(const ListedPackage& listed) {
  const std::string instead = printable(fmt::format("{}", fmt::join(listed.instead, ", ")));
  switch (listed.verdict) {
    case Verdict::runs:
    case Verdict::present: return printable(listed.why);
    case Verdict::builds: return listed.why + (instead.empty() ? "" : "; to run: " + instead);
    case Verdict::unknown: break;
  }
  return listed.why + (instead.empty() ? "" : "; did you mean " + instead + "?");
}

std::string text_of(const app::PackageListAnswer& answer) {
  const base::PackageListReport& report = answer.report;
  Table table({"package", "brings", "installed", "its own", "download", "remark"}, {1, 2, 3, 4});
  for (const ListedPackage& listed : report.listed) {
    const bool has_cost = listed.all.packages > 0;
    table.add({printable(listed.name), has_cost ? std::to_string(listed.brings.size()) : "",
               has_cost ? human_size(listed.all.installed) : "", has_cost ? human_size(listed.own.installed) : "",
               has_cost ? human_size(listed.all.download) : "", remark(listed)});
  }
  const auto total = [](std::string_view what, const PackageCost& cost) {
    return fmt::format("{:<27} {:>4} packages, {} installed, {} to download\n", what, cost.packages,
                       human_size(cost.installed), human_size(cost.download));
  };
  std::string text = fmt::format("{}\n", printable(answer.suite)) + table.text() + "\n";
  text += total("every image has", report.base);
  text += total("the list adds", report.all);
  text += total("without what builds it adds", report.kept);
  text += fmt::format("an image of it: {} instead of {}\n", human_size(report.base.installed + report.kept.installed),
                      human_size(report.base.installed + report.all.installed));
  for (const std::string& finding : report.findings) text += "\nnote: " + finding + "\n";
  if (report.proposal.empty()) return text;
  text += "\n[tool.veneer.system]\npackages = [";
  for (std::size_t i = 0; i < report.proposal.size(); ++i) {
    text += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", printable(report.proposal[i]));
  }
  return text + "]\n";
}

Value value_of(const PackageCost& cost) {
  Value value;
  value.set("packages", cost.packages);
  value.set("installed", cost.installed);
  value.set("download", cost.download);
  return value;
}

Value strings(const std::vector<std::string>& texts) {
  Value::Array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

Value value_of(const app::PackageListAnswer& answer) {
  const base::PackageListReport& report = answer.report;
  Value::Array packages;
  for (const ListedPackage& listed : report.listed) {
    Value row;
    row.set("name", listed.name);
    row.set("verdict", verdict_name(listed.verdict));
    row.set("why", listed.why);
    row.set("instead", strings(listed.instead));
    row.set("brings", strings(listed.brings));
    row.set("all", value_of(listed.all));
    row.set("own", value_of(listed.own));
    packages.push_back(std::move(row));
  }
  Value value;
  value.set("suite", answer.suite);
  value.set("packages", std::move(packages));
  value.set("base", value_of(report.base));
  value.set("list", value_of(report.all));
  value.set("kept", value_of(report.kept));
  value.set("proposal", strings(report.proposal));
  value.set("findings", strings(report.findings));
  return value;
}

int explain(const WantedPackages& wanted, Context& context) {
  app::PackageListQuestion question = wanted.question;
  question.project = context.current_folder();
  const app::PackageListAnswer answer = app::explain_packages(question, context);
  context.print(wanted.is_json ? to_pretty_json(value_of(answer)) : text_of(answer));
  const auto& listed = answer.report.listed;
  const bool has_unknown = std::ranges::find(listed, Verdict::unknown, &ListedPackage::verdict) != listed.end();
  return has_unknown ? exit_code(ErrorKind::not_found) : 0;
}

Action parse_packages(const Arguments& arguments) {
  WantedPackages wanted;
  wanted.question.names = arguments.values("PACKAGE");
  for (const std::string& name : wanted.question.names) {
    const bool is_name = std::ranges::all_of(name, [](char c) {
      return is_lower(c) || is_digit(c) || std::string_view("+-.:=~").find(c) != std::string_view::npos || is_upper(c);
    });
    if (name.empty() || !is_name) {
      throw Error(ErrorKind::usage, fmt::format("'{}' is no name of a Debian package", printable(name)));
    }
  }
  if (const auto suite = arguments.value("--suite")) {
    try {
      wanted.question.suite = python::parse_base_choice("debian:" + *suite).suite;
    } catch (const Error&) {
      throw Error(ErrorKind::usage, fmt::format("'{}' is no suite of Debian", printable(*suite)), "such as bookworm");
    }
  }
  auto platform = image::native_platform();
  if (const auto text = arguments.value("--platform")) platform = image::parse_platform(*text);
  if (platform) wanted.question.architecture = base::debian_architecture(platform->architecture);
  wanted.is_json = arguments.has("--json");
  return [wanted](Context& context) { return explain(wanted, context); };
}

}  // namespace

Command packages_command() {
  return {
      .name = "packages",
      .summary = "show what Debian packages bring and cost",
      .description =
          "Explains a list of Debian packages before an image is made of it: what each brings with it, what it costs "
          "with that and what would go with it, which are only for builds (compilers, headers, git) and what an image "
          "needs instead, which do not exist and what may be meant, and whether something draws text and no font is "
          "there. Reads the lists of the archive; nothing is installed. Without names the packages of the project's "
          "[tool.veneer.system] are meant. Exit code 4 when a package does not exist.",
      .positionals = {{"PACKAGE", "a package's name (default: those of the project)", Positional::Need::many}},
      .options = {{"--suite", "SUITE", "of Debian, such as bookworm (default: that of the project's base)"},
                  {"--platform", "PLATFORM", "for which the packages are (default: this machine's)"},
                  project_option(),
                  {"--json", "", "print JSON"}},
      .examples = {{"veneer packages", "of the project here"},
                   {"veneer packages build-essential git libpango1.0-dev --suite bookworm", "before they are listed"}},
      .parse = parse_packages};
}

}  // namespace veneer::cli
