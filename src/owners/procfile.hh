// A Procfile: kinds of processes with their commands, which a shell runs. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "owners/dockerfile.hh"

namespace veneer::owners {

struct Process {
  std::string kind;  // "web"
  Located<std::string> command;
};

/// In the file's order; lines of another form are left out, as those who run Procfiles do. Throws Error (refused) for
/// more than 64 KiB.
std::vector<Process> parse_procfile(std::string_view text);

}  // namespace veneer::owners
