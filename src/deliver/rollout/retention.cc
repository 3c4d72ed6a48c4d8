#include "deliver/rollout/retention.hh"

#include <algorithm>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <set>

#include "deliver/receiver/ssh/host_session.hh"

namespace veneer::deliver {

namespace {

enum class Kind { good, shipped, failed };

struct Place {
  Kind kind = Kind::failed;
  std::uint64_t revision = 0;
};

Kind kind_of(ReleaseOutcome outcome) {
  switch (outcome) {
    case ReleaseOutcome::well: return Kind::good;
    case ReleaseOutcome::shipped: return Kind::shipped;
    default: return Kind::failed;
  }
}

// What an image is by all of its releases. One that was ever well is good since the last time; one that was tried, and
// never well, has failed, however it was shipped.
std::map<std::string, Place> places_of(const std::vector<Release>& releases) {
  std::map<std::string, Place> places;
  for (const Release& release : releases) {
    const Kind kind = kind_of(release.outcome);
    const auto [place, is_new] = places.try_emplace(release.id, Place{kind, release.revision});
    if (is_new) continue;
    const bool says_less = kind != Kind::good && (place->second.kind == Kind::good || kind == Kind::shipped);
    if (!says_less) place->second = {kind, release.revision};
  }
  return places;
}

// The newest first.
std::vector<std::string> in_order(const std::map<std::string, Place>& places, bool (*belongs)(Kind)) {
  std::vector<std::pair<std::uint64_t, std::string>> order;
  for (const auto& [id, place] : places) {
    if (belongs(place.kind)) order.emplace_back(place.revision, id);
  }
  std::ranges::sort(order, std::greater<>());
  std::vector<std::string> ids;
  for (auto& [revision, id] : order) ids.push_back(std::move(id));
  return ids;
}

std::vector<NamedImage> what_goes(std::map<std::string, Place> places, const std::set<std::string>& stays,
                                  const std::vector<NamedImage>& ours, const RetentionWishes& wishes) {
  std::set<std::string> goes;
  const auto keep_first = [&](std::uint64_t count, bool (*belongs)(Kind)) {
    const std::vector<std::string> ids = in_order(places, belongs);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (i >= count && !stays.contains(ids[i])) goes.insert(ids[i]);
    }
  };
  keep_first(wishes.keep, [](Kind kind) { return kind != Kind::failed; });
  keep_first(wishes.keep_failed, [](Kind kind) { return kind == Kind::failed; });
  std::vector<NamedImage> names;
  std::ranges::copy_if(ours, std::back_inserter(names),
                       [&](const NamedImage& image) { return goes.contains(image.id); });
  return names;
}

}  // namespace

Retention plan_retention(const RetentionFacts& facts, const RetentionWishes& wishes) {
  std::vector<NamedImage> ours;
  std::set<std::string> present{wishes.image};
  for (const NamedImage& image : facts.images) {
    if (image.name.repository() != wishes.live_name.repository() || !image.name.tag.starts_with("veneer-")) continue;
    ours.push_back(image);
    present.insert(image.id);
  }
  std::ranges::sort(ours);
  std::map<std::string, Place> places = places_of(facts.releases);
  // One that is gone takes nobody's place.
  std::erase_if(places, [&](const auto& place) { return !present.contains(place.first); });

  Retention retention;
  std::set<std::string> noted{wishes.image, facts.way_back};
  for (const NamedImage& image : ours) {
    if (!places.contains(image.id) && noted.insert(image.id).second) retention.shipped.push_back(image);
  }
  std::set<std::string> stays{facts.live, facts.way_back};
  for (const ImageUse& use : facts.uses) {
    if (use.group != group_of(wishes.live_name)) stays.insert(use.image);
  }
  for (const Release& release : facts.releases) {
    if (release.outcome == ReleaseOutcome::at_work) stays.insert(release.id);
  }
  constexpr std::uint64_t now = std::numeric_limits<std::uint64_t>::max();
  const bool was_well = places.contains(wishes.image) && places.at(wishes.image).kind == Kind::good;
  auto after_back = places;
  if (!was_well) after_back[wishes.image] = {Kind::failed, now};
  retention.after_back = what_goes(std::move(after_back), stays, ours, wishes);
  places[wishes.image] = {Kind::good, now};
  stays.insert(wishes.image);
  retention.after_well = what_goes(std::move(places), stays, ours, wishes);
  return retention;
}

}  // namespace veneer::deliver
