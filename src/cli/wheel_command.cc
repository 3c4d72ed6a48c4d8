#include <fmt/format.h>

#include <filesystem>

#include "cli/command.hh"
#include "cli/context.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"
#include "python/wheel/describe.hh"
#include "python/wheel/wheel.hh"

namespace veneer::cli {

namespace {

int run(const Arguments& arguments, Context& context) {
  const std::filesystem::path path = *arguments.value("FILE");
  const auto strictness = arguments.has("--strict") ? python::Strictness::strict : python::Strictness::tolerant;
  python::InstallPlace place;
  place.prefix = arguments.value_or("--prefix", place.prefix);
  if (!place.prefix.starts_with('/') || place.prefix.size() < 2 || place.prefix.ends_with('/')) {
    throw Error(ErrorKind::usage, "--prefix wants an absolute path such as /app/.venv");
  }
  const std::string version = arguments.value_or("--python", "3.11");
  if (version.find_first_not_of("0123456789.t") != std::string::npos || !version.starts_with("3.")) {
    throw Error(ErrorKind::usage, fmt::format("--python wants a version such as 3.11, not '{}'", printable(version)));
  }
  place.library_folder = "python" + version;
  const Value described = in_context([&] { return printable(path.native()); },
                                     [&] {
                                       const python::Wheel wheel = python::open_wheel(
                                           std::make_shared<File>(path), path.filename().native(), strictness);
                                       return python::describe(wheel, place);
                                     });
  if (arguments.has("--json")) {
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
          .run = run};
}

}  // namespace veneer::cli
