#include <fmt/format.h>

#include <filesystem>

#include "cli/command.hh"
#include "cli/context.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"
#include "python/python_version.hh"
#include "python/target.hh"
#include "python/wheel/describe.hh"
#include "python/wheel/wheel.hh"

namespace veneer::cli {

namespace {

struct WantedWheel {
  std::filesystem::path path;
  python::Strictness strictness = python::Strictness::tolerant;
  python::InstallPlace place;
  bool is_json = false;
};

int show_wheel(const WantedWheel& wanted, Context& context) {
  const Value described = in_context([&] { return printable(wanted.path.native()); },
                                     [&] {
                                       const python::Wheel wheel =
                                           python::open_wheel(std::make_shared<File>(wanted.path),
                                                              wanted.path.filename().native(), wanted.strictness);
                                       return python::describe(wheel, wanted.place);
                                     });
  if (wanted.is_json) {
    context.print(to_pretty_json(described));
    return 0;
  }
  std::string text = fmt::format("{} {}\n\n", described.at("name").string(), described.at("version").string());
  Table table({"mode", "size", "path"}, {1});
  for (const Value& file : described.at("files").array()) {
    table.add({file.at("mode").string(), fmt::format("{}", file.at("size").integer()),
               printable(file.at("path").string(), 1000)});
  }
  text += table.text();
  for (const Value& finding : described.at("findings").array())
    text += "note: " + finding.at("message").string() + "\n";
  context.print(text);
  return 0;
}

Action parse_wheel(const Arguments& arguments) {
  WantedWheel wanted;
  wanted.path = arguments.value_or("FILE", "");
  if (arguments.has("--strict")) wanted.strictness = python::Strictness::strict;
  std::string& prefix = wanted.place.prefix;
  prefix = arguments.value_or("--prefix", prefix);
  if (!prefix.starts_with('/') || prefix.size() < 2 || prefix.ends_with('/')) {
    throw Error(ErrorKind::usage, "--prefix wants an absolute path such as /app/.venv");
  }
  const std::string named = arguments.value_or("--python", "3.11");
  const auto version = python::parse_python_version(named);
  if (!version) {
    throw Error(ErrorKind::usage, fmt::format("--python wants a version such as 3.11, not '{}'", printable(named)));
  }
  wanted.place.library_folder =
      python::Target{.minor = version->minor, .threading = version->threading}.library_folder();
  wanted.is_json = arguments.has("--json");
  return [wanted](Context& context) { return show_wheel(wanted, context); };
}

}  // namespace

Command wheel_command() {
  return {.name = "wheel",
          .summary = "check a wheel file and show what it would install",
          .description =
              "Reads a wheel as strictly as a build does, verifies every hash, and shows the files that it would "
              "install below the prefix. "
              "A wheel that a build would refuse is refused with the reason (exit code 3).",
          .positionals = {{"FILE", "the wheel"}},
          .options = {{"--prefix", "DIR", "where the environment is (default /app/.venv)"},
                      {"--python", "VERSION", "the minor version of Python (default 3.11)"},
                      {"--strict", "", "refuse a RECORD that is incomplete"},
                      {"--json", "", "print JSON"}},
          .examples = {{"veneer wheel dist/shop-1.0-py3-none-any.whl", "what does it install?"},
                       {"veneer wheel --strict --json suspicious.whl", "for scripts"}},
          .parse = parse_wheel};
}

}  // namespace veneer::cli
