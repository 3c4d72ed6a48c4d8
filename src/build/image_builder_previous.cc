// The part of the builder that looks at the image before.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "build/image_builder.hh"
#include "build/recorded_facts.hh"
#include "foundation/error.hh"

namespace veneer::build {

/// What the image before tells of a distribution that nothing is known of here; nullptr when it must be looked at.
const plan::MemberFacts* ImageBuilder::told(const Distribution& distribution) {
  if (!inputs_.previous || inputs_.previous->use != Previous::Layers::are_taken) return nullptr;
  if (distribution.component.kind != plan::ComponentKind::distribution || is_known(distribution)) return nullptr;
  const plan::MemberFacts* facts = find_facts(inputs_.previous->record, distribution.component.name,
                                              wheel_mark(supply_.identity(*distribution.package)));
  return facts != nullptr && (distribution.package->size || facts->size) ? facts : nullptr;
}

/// Which of `told` could share a path with one of `read` that the image before has not: of those that it has, it would
/// tell nothing if they shared one.
std::vector<bool> ImageBuilder::needed_to_compare(const std::vector<Distribution>& told,
                                                  const std::vector<Distribution>& read,
                                                  const std::vector<python::Claims>& claims) {
  if (told.empty()) return {};
  std::set<plan::RecordedMember> before;
  for (const auto& layer : inputs_.previous->record.layers) before.insert(layer.begin(), layer.end());
  std::vector<Placed> others;
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (before.contains(plan::recorded(read[i].component))) continue;
    const auto places = places_.find(read[i].component.id);
    if (places == places_.end()) return std::vector<bool>(told.size(), true);
    others.push_back({claims[i].name, &places->second});
  }
  std::vector<Placed> asked;
  for (const Distribution& distribution : told) {
    const plan::MemberFacts* facts = this->told(distribution);
    asked.push_back({distribution.component.name, &facts->places});
  }
  return meet(asked, others);
}

/// Of those that share a path with another nothing is told: whoever follows looks at them.
void ImageBuilder::add_facts(plan::PlanRecord& record) {
  std::map<std::string_view, const python::WheelNeeds*> needs;
  std::vector<std::string> asked;
  if (inputs_.needs) {
    for (const DistributionNeeds& distribution : *inputs_.needs) {
      needs[distribution.name] = &distribution.needs;
      for (std::string& name : asked_libraries(distribution.needs)) asked.push_back(std::move(name));
    }
  }
  for (const Distribution& distribution : distributions_) {
    const plan::Component& component = distribution.component;
    if (overlapping_.contains(component.name)) continue;
    plan::MemberFacts facts;
    facts.wheel = wheel_mark(supply_.identity(*distribution.package));
    if (const auto known = told_.find(component.id); known != told_.end()) {
      facts.places = known->second.places;
    } else {
      const auto places = places_.find(component.id);
      if (places == places_.end() || !fit_a_record(places->second)) continue;
      facts.places = places->second;
    }
    if (!distribution.package->size) facts.size = component.size;
    const auto known_needs = needs.find(component.name);
    if (known_needs == needs.end()) {
      put_no_needs(facts);
    } else if (!put_needs(*known_needs->second, asked, facts)) {
      continue;
    }
    record.facts[plan::recorded(component)] = std::move(facts);
  }
  plan::shorten(record);
}

namespace {

/// Where the image before has the layer that `layout` has at `position`: its place in that image.
std::optional<std::size_t> place_before(const plan::LayoutPlan& layout, std::size_t position,
                                        const plan::PlanRecord& before) {
  const auto place_in = [](const auto& list, const auto& wanted) -> std::optional<std::size_t> {
    const auto found = std::ranges::find(list, wanted);
    return found == list.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - list.begin()));
  };
  const bool is_of_distributions = position < layout.record.layers.size();
  const std::optional<std::size_t> place = is_of_distributions
                                               ? place_in(before.layers, layout.record.layers[position])
                                               : place_in(before.above, plan::short_key(layout.layers[position].key));
  if (!place) return std::nullopt;
  return before.below + *place + (is_of_distributions ? 0 : before.layers.size());
}

}  // namespace

/// Which layers the image before has, and which of these are taken from there.
void ImageBuilder::look_at_the_image_before(BuildPlan& plan) const {
  plan.before.resize(plan.layout.layers.size());
  plan.is_taken.resize(plan.layout.layers.size());
  if (!inputs_.previous) return;
  const Previous& previous = *inputs_.previous;
  for (std::size_t i = 0; i < plan.layout.layers.size(); ++i) {
    const std::optional<std::size_t> place = place_before(plan.layout, i, previous.record);
    if (!place || *place >= previous.layers.size()) continue;
    plan.before[i] = previous.layers[*place];
    plan.is_taken[i] = previous.use == Previous::Layers::are_taken && !plan.in_cache[i];
  }
}

void ImageBuilder::compare_with_the_image_before(const BuildPlan& plan, const std::vector<BuiltLayer>& made) const {
  if (!inputs_.previous || inputs_.previous->use != Previous::Layers::are_compared) return;
  for (std::size_t i = 0; i < plan.before.size(); ++i) {
    if (!plan.before[i] || plan.before[i]->diff_id == made[i].layer.diff_id) continue;
    throw Error(ErrorKind::verification,
                fmt::format("the image before has another layer of {}: {}, made here it is {}",
                            printable(made[i].title), plan.before[i]->diff_id.text(), made[i].layer.diff_id.text()),
                "do not take layers from that image: --previous none");
  }
}

}  // namespace veneer::build
