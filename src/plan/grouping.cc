#include "plan/grouping.hh"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

#include "foundation/error.hh"
#include "plan/fixed_point.hh"
#include "plan/layer_order.hh"

namespace veneer::plan {

namespace {

constexpr std::uint64_t chance_of_a_member = one * 3 / 100;
constexpr std::size_t reserve_percent = 15;
constexpr std::uint64_t changes_ahead = 2;

/// What lies in one layer, now or if it is decided so: places in the list of distributions.
struct Group {
  std::vector<std::size_t> members;
  std::uint64_t bytes = 0;
};

Group merged(Group left, const Group& right) {
  left.members.insert(left.members.end(), right.members.begin(), right.members.end());
  left.bytes += right.bytes;
  return left;
}

/// An overlap of two that are there.
struct Edge {
  std::size_t below = 0;  // places in the list of distributions
  std::size_t above = 0;
  const Overlap* overlap = nullptr;
};

std::vector<Edge> edges_of(const std::vector<Component>& distributions, const std::vector<Overlap>& overlaps) {
  std::map<std::string_view, std::size_t> by_id;
  for (std::size_t i = 0; i < distributions.size(); ++i) by_id.emplace(distributions[i].id, i);
  std::vector<Edge> edges;
  for (const Overlap& overlap : overlaps) {
    const auto below = by_id.find(overlap.below);
    const auto above = by_id.find(overlap.above);
    if (below != by_id.end() && above != by_id.end()) edges.push_back({below->second, above->second, &overlap});
  }
  return edges;
}

class Planner {
 public:
  Planner(const std::vector<Component>& distributions, const std::vector<Overlap>& overlaps, std::size_t cap)
      : distributions_(distributions), cap_(cap), cluster_(distributions.size()) {
    // Whatever order they came in.
    by_name_.resize(distributions.size());
    std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
    sort_by_name(by_name_);
    join_overlapping(overlaps);
    miss_.push_back(one);
    for (std::size_t i = 0; i < distributions.size(); ++i) {
      miss_.push_back(miss_.back() * (one - chance_of_a_member) / one);
    }
  }

  std::vector<Group> first() const {
    const std::size_t free = cap_ * reserve_percent / 100;
    const std::vector<Group> all = clusters_of(by_name_);
    return grouped(all, all.size() <= cap_ - free ? cap_ : cap_ - free);
  }

  /// The layers of `previous` that stay come first, marked in `kept` by their place there.
  struct Next {
    std::vector<Group> kept;
    std::vector<std::size_t> places;  // of `kept` in `previous`
    std::vector<Group> made;
  };
  Next next(const PlanRecord& previous) const {
    std::vector<bool> is_held(distributions_.size());
    Next all_kept = keepable(previous, is_held);
    std::vector<std::size_t> smallest(all_kept.kept.size());
    std::iota(smallest.begin(), smallest.end(), std::size_t{0});
    std::sort(smallest.begin(), smallest.end(), [&](std::size_t left, std::size_t right) {
      return std::pair(all_kept.kept[left].bytes, left) < std::pair(all_kept.kept[right].bytes, right);
    });
    std::vector<std::size_t> travelling;
    for (const std::size_t member : by_name_) {
      if (!is_held[member]) travelling.push_back(member);
    }

    std::optional<Next> best;
    std::uint64_t best_cost = 0;
    for (std::size_t drawn = 0; drawn <= smallest.size(); ++drawn) {
      const std::size_t staying = smallest.size() - drawn;
      const std::size_t free = cap_ - std::min(cap_, staying);
      const bool is_possible = staying <= cap_ && (free > 0 || (travelling.empty() && drawn == 0));
      if (is_possible) {
        Next tried = with_drawn(all_kept, {smallest.begin(), smallest.begin() + static_cast<std::ptrdiff_t>(drawn)},
                                travelling, free);
        const std::uint64_t cost = cost_of(tried);
        if (best && cost >= best_cost) break;
        best = std::move(tried);
        best_cost = cost;
      }
      if (best && travelling.empty()) break;  // nothing travels: nothing is moved for it
    }
    return std::move(*best);
  }

  std::uint64_t rate(const Group& group, const Learned& learned) const {
    std::uint64_t miss = one;
    for (const std::size_t member : group.members) {
      const auto known = learned.changed.find(distributions_[member].name);
      const std::uint64_t changes = known == learned.changed.end() ? 0 : std::min(known->second, learned.sets_seen);
      // (0.03 * 10 + changes) / (10 + sets): begins at 3 % and moves with what was seen.
      const std::uint64_t changing = one * (3 + 10 * changes) / (10 * (10 + std::uint64_t{learned.sets_seen}));
      miss = miss * (one - std::min(changing, one)) / one;
    }
    return std::max<std::uint64_t>(one - miss, 1);
  }

  void sort_by_name(std::vector<std::size_t>& members) const {
    std::sort(members.begin(), members.end(), [&](std::size_t left, std::size_t right) {
      const Component& a = distributions_[left];
      const Component& b = distributions_[right];
      return std::tie(a.name, a.key, a.id) < std::tie(b.name, b.key, b.id);
    });
  }

 private:
  void join_overlapping(const std::vector<Overlap>& overlaps) {
    std::iota(cluster_.begin(), cluster_.end(), std::size_t{0});
    const auto root = [&](std::size_t member) {
      while (cluster_[member] != member) member = cluster_[member];
      return member;
    };
    for (const Edge& edge : edges_of(distributions_, overlaps)) {
      if (edge.overlap->is_in_one_layer) cluster_[root(edge.below)] = root(edge.above);
    }
    for (std::size_t i = 0; i < cluster_.size(); ++i) cluster_[i] = root(i);
    cluster_size_.resize(cluster_.size());
    for (const std::size_t cluster : cluster_) ++cluster_size_[cluster];
  }

  std::uint64_t bytes(std::size_t member) const {
    return std::min(distributions_[member].size, most_bytes / distributions_.size());
  }

  std::uint64_t expected(std::uint64_t bytes, std::size_t members) const {
    return bytes * (one - miss_[members]) / one;
  }
  std::uint64_t expected(const Group& group) const { return expected(group.bytes, group.members.size()); }

  /// The members in groups of those that belong together.
  std::vector<Group> clusters_of(const std::vector<std::size_t>& members) const {
    std::map<std::size_t, std::size_t> place;
    std::vector<Group> groups;
    for (const std::size_t member : members) {
      const auto [found, is_new] = place.emplace(cluster_[member], groups.size());
      if (is_new) groups.emplace_back();
      groups[found->second].members.push_back(member);
      groups[found->second].bytes += bytes(member);
    }
    return groups;
  }

  /// Merges neighbours in the order of sizes until at most `most` groups are left.
  std::vector<Group> grouped(std::vector<Group> groups, std::size_t most) const {
    std::stable_sort(groups.begin(), groups.end(),
                     [](const Group& left, const Group& right) { return left.bytes > right.bytes; });
    const auto rise = [&](std::size_t i) {
      const Group& left = groups[i];
      const Group& right = groups[i + 1];
      return expected(left.bytes + right.bytes, left.members.size() + right.members.size()) - expected(left) -
             expected(right);
    };
    std::vector<std::uint64_t> rises;
    for (std::size_t i = 0; i + 1 < groups.size(); ++i) rises.push_back(rise(i));
    while (groups.size() > std::max<std::size_t>(most, 1)) {
      // Among equals the smallest groups, which come last.
      const auto least = std::min_element(rises.rbegin(), rises.rend());
      const auto i = static_cast<std::size_t>(rises.rend() - least) - 1;
      groups[i] = merged(std::move(groups[i]), groups[i + 1]);
      groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      rises.erase(rises.begin() + static_cast<std::ptrdiff_t>(i));
      if (i < rises.size()) rises[i] = rise(i);
      if (i > 0) rises[i - 1] = rise(i - 1);
    }
    return groups;
  }

  /// The layers of `previous` whose members are all there as they were, and nothing that belongs to them lies
  /// elsewhere.
  Next keepable(const PlanRecord& previous, std::vector<bool>& is_held) const {
    std::map<RecordedMember, std::size_t> now;
    for (const std::size_t member : by_name_) now.emplace(recorded(distributions_[member]), member);
    Next next;
    for (std::size_t place = 0; place < previous.layers.size(); ++place) {
      Group group;
      std::map<std::size_t, std::size_t> of_cluster;
      bool is_whole = !previous.layers[place].empty();
      for (const RecordedMember& recorded_member : previous.layers[place]) {
        const auto found = now.find(recorded_member);
        is_whole = is_whole && found != now.end() && !is_held[found->second];
        if (!is_whole) break;
        group.members.push_back(found->second);
        group.bytes += bytes(found->second);
        ++of_cluster[cluster_[found->second]];
      }
      for (const auto& [cluster, members] : of_cluster) is_whole = is_whole && members == cluster_size_[cluster];
      if (!is_whole) continue;
      for (const std::size_t member : group.members) is_held[member] = true;
      next.kept.push_back(std::move(group));
      next.places.push_back(place);
    }
    return next;
  }

  Next with_drawn(const Next& all_kept, const std::vector<std::size_t>& drawn, std::vector<std::size_t> travelling,
                  std::size_t free) const {
    Next next;
    for (std::size_t i = 0; i < all_kept.kept.size(); ++i) {
      const Group& group = all_kept.kept[i];
      if (std::find(drawn.begin(), drawn.end(), i) != drawn.end()) {
        travelling.insert(travelling.end(), group.members.begin(), group.members.end());
      } else {
        next.kept.push_back(group);
        next.places.push_back(all_kept.places[i]);
      }
    }
    sort_by_name(travelling);
    next.made = grouped(clusters_of(travelling), free);
    return next;
  }

  std::uint64_t cost_of(const Next& next) const {
    std::uint64_t cost = 0;
    for (const Group& group : next.made) cost += group.bytes + changes_ahead * expected(group);
    for (const Group& group : next.kept) cost += changes_ahead * expected(group);
    return cost;
  }

  const std::vector<Component>& distributions_;
  std::size_t cap_;
  std::vector<std::size_t> by_name_;       // places of the distributions, by name
  std::vector<std::size_t> cluster_;       // of each distribution: one of those that it must share a layer with
  std::vector<std::size_t> cluster_size_;  // of each that stands for a cluster
  std::vector<std::uint64_t> miss_;        // chance that none of so many members changes
};

struct Placed {
  Group group;
  std::optional<std::size_t> place_before;  // of a layer that stays
  std::uint64_t rate;
};

/// What the overlaps want of the layers. Those that no order could satisfy become one.
LayersBelow without_circles(std::vector<Placed>& placed, const std::vector<Edge>& edges, std::size_t distributions) {
  while (true) {
    std::vector<std::size_t> layer_of(distributions);
    for (std::size_t i = 0; i < placed.size(); ++i) {
      for (const std::size_t member : placed[i].group.members) layer_of[member] = i;
    }
    LayersBelow below(placed.size());
    for (const Edge& edge : edges) {
      if (layer_of[edge.below] != layer_of[edge.above]) below[layer_of[edge.above]].insert(layer_of[edge.below]);
    }
    std::vector<std::size_t> circle = find_circle(below);
    if (circle.empty()) return below;
    std::ranges::sort(circle);
    for (; circle.size() > 1; circle.pop_back()) {
      Placed& first = placed[circle.front()];
      first = {merged(std::move(first.group), placed[circle.back()].group), std::nullopt, 0};
      placed.erase(placed.begin() + static_cast<std::ptrdiff_t>(circle.back()));
    }
  }
}

std::optional<std::size_t> place_in(const PlanRecord& previous, const Group& group,
                                    const std::vector<Component>& distributions) {
  std::vector<RecordedMember> members;
  for (const std::size_t member : group.members) members.push_back(recorded(distributions[member]));
  const auto found = std::ranges::find(previous.layers, members);
  return found == previous.layers.end() ? std::nullopt : std::optional<std::size_t>(found - previous.layers.begin());
}

/// Below the lowest change as they lay, then by bytes and rate of change.
std::vector<std::size_t> order_of(const std::vector<Placed>& placed, const LayersBelow& below,
                                  const std::vector<Component>& distributions) {
  std::vector<std::size_t> order(placed.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::size_t unmoved = 0;
  while (unmoved < placed.size() && placed[unmoved].place_before == unmoved) ++unmoved;
  unmoved = std::min(unmoved, in_order(order, below));
  std::stable_sort(order.begin() + static_cast<std::ptrdiff_t>(unmoved), order.end(),
                   [&](std::size_t left, std::size_t right) {
                     const std::uint64_t a = placed[left].group.bytes * placed[right].rate;
                     const std::uint64_t b = placed[right].group.bytes * placed[left].rate;
                     return a != b ? a > b
                                   : distributions[placed[left].group.members.front()].name <
                                         distributions[placed[right].group.members.front()].name;
                   });
  return ordered(order, below);
}

}  // namespace

std::vector<LayerGroup> group_distributions(const std::vector<Component>& distributions,
                                            const std::vector<Overlap>& overlaps,
                                            const std::optional<PlanRecord>& previous, std::size_t cap) {
  if (distributions.empty()) return {};
  if (cap == 0) throw Error(ErrorKind::refused, "the distributions have no layer to lie in");
  const Planner planner(distributions, overlaps, cap);
  Planner::Next next;
  if (previous) {
    next = planner.next(*previous);
  } else {
    next.made = planner.first();
  }
  std::vector<Placed> placed;
  for (std::size_t i = 0; i < next.kept.size(); ++i) placed.push_back({std::move(next.kept[i]), next.places[i], 0});
  for (Group& group : next.made) placed.push_back({std::move(group), std::nullopt, 0});
  const std::vector<Edge> edges = edges_of(distributions, overlaps);
  const LayersBelow below = without_circles(placed, edges, distributions.size());

  const Learned learned = previous ? learn(*previous, distributions) : Learned{};
  for (Placed& layer : placed) {
    planner.sort_by_name(layer.group.members);
    layer.rate = planner.rate(layer.group, learned);
    // What became one layer may be what was one.
    if (previous && !layer.place_before) layer.place_before = place_in(*previous, layer.group, distributions);
  }
  std::vector<LayerGroup> layers;
  for (const std::size_t place : order_of(placed, below, distributions)) {
    Placed& layer = placed[place];
    layers.push_back({.members = std::move(layer.group.members), .is_kept = layer.place_before.has_value()});
  }
  return layers;
}

PlanRecord record_of(const std::vector<LayerGroup>& layers, const std::vector<Component>& distributions,
                     const std::optional<PlanRecord>& previous) {
  PlanRecord record;
  if (previous) record.learned = learn(*previous, distributions);
  for (const LayerGroup& layer : layers) {
    auto& members = record.layers.emplace_back();
    for (const std::size_t member : layer.members) members.push_back(recorded(distributions[member]));
  }
  return record;
}

}  // namespace veneer::plan
