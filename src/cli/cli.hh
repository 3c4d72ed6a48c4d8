// The command line: reads arguments, runs a command, prints errors. Called by main.
#pragma once

namespace veneer::cli {

/// Returns the exit code (documented in `veneer help` and docs/exit-codes of the manual).
int run(int argc, char** argv);

}  // namespace veneer::cli
