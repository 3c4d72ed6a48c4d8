// What a check finds. A value.
#pragma once

#include <string>
#include <vector>

namespace veneer::check {

enum class Severity {
  problem,  // something does not work
  note,     // it may be meant so
  detail,   // it is so in images that work: an extra that was not selected, an optional import
};

struct Finding {
  /// What `--allow` takes, the same for the same fault: "library:libpango-1.0.so.0", "import:weasyprint".
  std::string id;
  Severity severity = Severity::problem;
  std::string message;
};

using Findings = std::vector<Finding>;

}  // namespace veneer::check
