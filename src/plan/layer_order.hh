// Layers of which some must lie above others. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <set>
#include <vector>

namespace veneer::plan {

/// For each layer those that must lie below it.
using LayersBelow = std::vector<std::set<std::size_t>>;

/// Layers, at least two, of which each must lie above the next and the last above the first: in no order. Empty when
/// there are none.
std::vector<std::size_t> find_circle(const LayersBelow& below);

/// How many of the lowest of `order` lie above all that must lie below them.
std::size_t in_order(const std::vector<std::size_t>& order, const LayersBelow& below);

/// `wanted`, each as early as what must lie below it allows. Without a circle.
std::vector<std::size_t> ordered(const std::vector<std::size_t>& wanted, const LayersBelow& below);

}  // namespace veneer::plan
