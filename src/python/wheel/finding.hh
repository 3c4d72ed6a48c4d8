// What is odd about a wheel without making it unusable. Made by the readers in this folder, shown by plan and
// `veneer wheel`. Values.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

namespace veneer::python {

enum class Strictness {
  tolerant,  // what is incomplete becomes a finding
  strict,    // `--strict`: what is incomplete is refused
};

enum class Weight {
  note,        // worth knowing; never refused
  incomplete,  // something that vouches for the content is missing; refused with Strictness::strict
};

struct Finding {
  std::string code;     // a stable word such as "record-row-missing"; docs/formats.md lists them
  std::string path;     // what it is about: a path in the wheel, or empty
  std::string message;  // one sentence, safe to print
  Weight weight = Weight::note;

  auto operator<=>(const Finding&) const = default;
};

/// Sorts the findings; with Strictness::strict throws an Error (refused) that names the first incomplete one and says
/// how many there are.
void settle_findings(std::vector<Finding>& findings, Strictness strictness);

std::string_view weight_name(Weight weight);  // "note", "incomplete"

}  // namespace veneer::python
