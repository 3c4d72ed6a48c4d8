#include <algorithm>

#include <fmt/format.h>

#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/manual.hh"
#include "foundation/error.hh"

namespace veneer::cli {

namespace {

std::string overview() {
  std::string text =
      "Usage: veneer COMMAND [OPTION]... [ARGUMENT]...\n\n"
      "Container images whose deploys cost what changed, for Python projects locked with uv.\n\nCommands:\n";
  for (const Command& command : commands()) text += fmt::format("  {:<11}{}\n", command.name, command.summary);
  return text + "\nRun 'veneer COMMAND --help' for its options and examples.\n";
}

int run(const Arguments& arguments, Context& context) {
  if (arguments.has("--man")) {
    context.print(manual_page());
    return 0;
  }
  const auto name = arguments.value("COMMAND");
  if (!name) {
    context.print(overview());
    return 0;
  }
  const auto found =
      std::find_if(commands().begin(), commands().end(), [&](const Command& command) { return command.name == *name; });
  if (found == commands().end()) {
    throw Error(ErrorKind::usage, fmt::format("there is no command '{}'", printable(*name)), "see 'veneer help'");
  }
  context.print(command_help(*found));
  return 0;
}

}  // namespace

Command help_command() {
  return {
      .name = "help",
      .summary = "show help for a command, or the manual page",
      .description = "Shows the commands, the help of one of them, or the manual page.",
      .positionals = {{"COMMAND", "what to explain", Positional::Need::optional}},
      .options = {{"--man", "", "print the manual page, for man -l"}},
      .examples = {{"veneer help build", "the options of build"}, {"veneer help --man | man -l -", "read the manual"}},
      .run = run};
}

}  // namespace veneer::cli
