// Runs an interpreter to parse Python files: only the program python_facts.py is run, nothing of the files.
// Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace veneer::start {

struct PythonSource {
  std::string path;  // relative to the project
  std::string text;
};

/// What module_facts_from_text() reads of these files. `interpreter` are the words that start one. Nothing when it is
/// not there, is older than 3.`minor` (it would refuse newer syntax), or fails.
std::optional<std::string> python_facts_text(std::vector<std::string> interpreter, unsigned minor,
                                             const std::vector<PythonSource>& sources);

}  // namespace veneer::start
