// The grammar of markers. Pure, thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "python/marker.hh"
#include "python/specifier.hh"

namespace veneer::python {

/// One side of a comparison: a variable or a quoted text.
struct MarkerOperand {
  std::optional<MarkerVariable> variable;
  std::string text;  // when there is no variable
};

struct MarkerNode {
  enum class Kind { comparison, all, any };
  Kind kind = Kind::comparison;
  std::vector<std::shared_ptr<const MarkerNode>> parts;  // of all and any, two at least
  MarkerOperand left;
  std::string comparison;  // "==", "not in", ...
  MarkerOperand right;
  std::optional<Specifier> specifier;  // comparison and right side, where they read as one
};

/// Throws Error (refused) that names `text`; more than 64 levels of parentheses and more than 64 KiB are refused too.
std::shared_ptr<const MarkerNode> read_marker(std::string_view text);

}  // namespace veneer::python
