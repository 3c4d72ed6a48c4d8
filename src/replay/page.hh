// The costs of layouts as a page for people. Pure, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "replay/replay.hh"

namespace veneer::replay {

/// A layout as people call it, and its bytes: the rows of every report, the dearest kind first.
struct NamedLayout {
  const char* name;
  std::uint64_t LayoutBytes::*bytes;
};
using NamedLayouts = std::vector<NamedLayout>;
const NamedLayouts& named_layouts();              // of dependencies
const NamedLayouts& named_application_layouts();  // of the application's own files

/// What a table has of each layout, in words: its name, all deploys, a deploy, times the bound, which is the last.
struct CostRow {
  std::string name;
  std::string all;
  std::string each;
  std::string times;  // empty where the bound is 0
};
std::vector<CostRow> cost_rows(const Costs& costs, const NamedLayouts& layouts);

/// "of 3 of 40 files no lock says the size; they are estimated", empty when there is none.
std::string estimate_text(const Costs& costs);

/// One HTML document that needs nothing else: no script, no font, no request (its policy forbids them). For each
/// history a chart of the bytes so far, on a logarithmic scale, and a table; light and dark, and readable at 400
/// pixels.
std::string page(const std::vector<Costs>& histories);

}  // namespace veneer::replay
