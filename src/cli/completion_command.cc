#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/manual.hh"

namespace veneer::cli {

namespace {
Action parse_completion(const Arguments& arguments) {
  const std::string script = completion_script(arguments.value_or("SHELL", ""));
  return [script](Context& context) {
    context.print(script);
    return 0;
  };
}
}  // namespace

Command completion_command() {
  return {.name = "completion",
          .summary = "print a completion script for bash, zsh or fish",
          .description = "Prints a script that makes the shell complete commands, options and file names.",
          .positionals = {{"SHELL", "bash, zsh or fish"}},
          .examples = {{"source <(veneer completion bash)", "complete in this bash"},
                       {"veneer completion fish > ~/.config/fish/completions/veneer.fish", "complete in every fish"}},
          .parse = parse_completion};
}

}  // namespace veneer::cli
