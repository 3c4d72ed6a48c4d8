#include "python/wheel/finding.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"

namespace veneer::python {

void settle_findings(std::vector<Finding>& findings, Strictness strictness) {
  std::sort(findings.begin(), findings.end());
  findings.erase(std::unique(findings.begin(), findings.end()), findings.end());
  if (strictness == Strictness::tolerant) return;
  const auto incomplete = [](const Finding& finding) { return finding.weight == Weight::incomplete; };
  const auto first = std::find_if(findings.begin(), findings.end(), incomplete);
  if (first == findings.end()) return;
  const auto count = std::count_if(findings.begin(), findings.end(), incomplete);
  const std::string more = count > 1 ? fmt::format(" (and {} more)", count - 1) : std::string();
  throw Error(ErrorKind::refused, first->message + more, "leave out --strict to accept it");
}

std::string_view weight_name(Weight weight) { return weight == Weight::note ? "note" : "incomplete"; }

}  // namespace veneer::python
