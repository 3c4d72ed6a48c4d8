// The command line: reads arguments, runs a command, prints errors.
#pragma once

namespace veneer::cli {

/// Returns the exit code (documented in `veneer help` and docs/exit-codes of the manual).
int run(int argc, char** argv);

}  // namespace veneer::cli
