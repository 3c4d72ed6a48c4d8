#include "plan/layer_order.hh"

#include <algorithm>

namespace veneer::plan {

std::vector<std::size_t> find_circle(const LayersBelow& below) {
  enum class Seen { no, on_the_way, done };
  std::vector<Seen> seen(below.size(), Seen::no);
  for (std::size_t start = 0; start < below.size(); ++start) {
    if (seen[start] != Seen::no) continue;
    // From each layer down to one that was not looked at, for as long as there is one.
    std::vector<std::size_t> way = {start};
    seen[start] = Seen::on_the_way;
    while (!way.empty()) {
      const auto& next = below[way.back()];
      const auto open = std::ranges::find_if(next, [&](std::size_t layer) { return seen[layer] != Seen::done; });
      if (open == next.end()) {
        seen[way.back()] = Seen::done;
        way.pop_back();
      } else if (seen[*open] == Seen::on_the_way) {
        return {std::ranges::find(way, *open), way.end()};
      } else {
        way.push_back(*open);
        seen[*open] = Seen::on_the_way;
      }
    }
  }
  return {};
}

std::size_t in_order(const std::vector<std::size_t>& order, const LayersBelow& below) {
  std::set<std::size_t> lower;
  for (const std::size_t layer : order) {
    if (!std::ranges::includes(lower, below[layer])) break;
    lower.insert(layer);
  }
  return lower.size();
}

std::vector<std::size_t> ordered(const std::vector<std::size_t>& wanted, const LayersBelow& below) {
  std::vector<std::size_t> result;
  std::vector<bool> is_placed(below.size());
  std::vector<std::size_t> left = wanted;
  while (!left.empty()) {
    auto next = std::ranges::find_if(left, [&](std::size_t layer) {
      return std::ranges::all_of(below[layer], [&](std::size_t lower) { return is_placed[lower]; });
    });
    if (next == left.end()) next = left.begin();  // a circle, which nobody has
    is_placed[*next] = true;
    result.push_back(*next);
    left.erase(next);
  }
  return result;
}

}  // namespace veneer::plan
