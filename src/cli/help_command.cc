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

std::string help_text(const std::string& name) {
  const auto found = std::ranges::find(commands(), name, &Command::name);
  if (found != commands().end()) return command_help(*found);
  throw Error(ErrorKind::usage, fmt::format("there is no command '{}'", printable(name)), "see 'veneer help'");
}

Action parse_help(const Arguments& arguments) {
  const auto name = arguments.value("COMMAND");
  const std::string text = arguments.has("--man") ? manual_page() : name ? help_text(*name) : overview();
  return [text](Context& context) {
    context.print(text);
    return 0;
  };
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
      .parse = parse_help};
}

}  // namespace veneer::cli
