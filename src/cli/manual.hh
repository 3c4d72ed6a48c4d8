// Help, manual page and shell completion, all made from the descriptions of the commands. Pure.
#pragma once

#include <string>

#include "cli/command.hh"

namespace veneer::cli {

/// What `veneer COMMAND --help` prints.
std::string command_help(const Command& command);
/// A manual page in the man(7) macros.
std::string manual_page();
/// A completion script; `shell` is bash, zsh or fish (else an Error of kind usage).
std::string completion_script(const std::string& shell);

}  // namespace veneer::cli
