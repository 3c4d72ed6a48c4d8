// What a build writes into its plan of each distribution, so that a later builder that lacks the wheels can plan, and
// what it takes from there. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plan/plan_record.hh"
#include "python/wheel/needs.hh"
#include "python/wheel/overlap.hh"

namespace veneer::build {

/// What stands for a wheel in facts: 8 hexadecimal digits of the hash of WheelSupply::identity().
std::string wheel_mark(std::string_view identity);

/// What `record` knows of the distribution `name` from the wheel with that mark; nullptr when it knows nothing.
const plan::MemberFacts* find_facts(const plan::PlanRecord& record, std::string_view name, std::string_view mark);

/// MemberFacts::places of a distribution below `prefix` ("app/.venv") with its `site_packages` (below the root).
/// Nothing for one that has files elsewhere.
std::optional<std::vector<std::string>> places_of(const python::Claims& claims, std::string_view prefix,
                                                  std::string_view site_packages);

/// Whether places are few and plain enough to be recorded.
bool fit_a_record(const std::vector<std::string>& places);

/// Which of `distributions` have a place in common with one of `others`, counting as a place each one's own name.
struct Placed {
  std::string_view name;
  const std::vector<std::string>* places;
};
std::vector<bool> meet(std::span<const Placed> distributions, std::span<const Placed> others);

/// The libraries that a distribution needs or asks for, but for those that any system has.
std::vector<std::string> asked_libraries(const python::WheelNeeds& needs);

/// Writes the needs of a distribution into its facts; `asked` are the asked_libraries() of all of the set: of what it
/// brings, only those matter. False for needs that do not fit there.
bool put_needs(const python::WheelNeeds& needs, std::span<const std::string> asked, plan::MemberFacts& facts);
/// Says that nobody looked at them.
void put_no_needs(plan::MemberFacts& facts);
/// Nothing when those who wrote it had not looked at them.
std::optional<python::WheelNeeds> recorded_needs(const plan::MemberFacts& facts);

}  // namespace veneer::build
