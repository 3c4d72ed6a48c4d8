#include "build/recorded_facts.hh"

#include <algorithm>
#include <set>

#include "foundation/digest.hh"

namespace veneer::build {

namespace {

constexpr std::size_t most_places = 8;
constexpr std::size_t most_libraries = 12;
const std::string not_looked_at = "?";

/// "PyYAML" and "py-yaml" may both have py_yaml.
std::string own_place(std::string_view name) {
  std::string place(name);
  std::ranges::replace(place, '-', '_');
  return place;
}

std::set<std::string> all_places(const Placed& distribution) {
  std::set<std::string> places(distribution.places->begin(), distribution.places->end());
  places.insert(own_place(distribution.name));
  return places;
}

bool is_of_any_system(std::string_view soname) {
  constexpr std::string_view known[] = {"libc.so.6",  "libm.so.6",    "libpthread.so.0",      "libdl.so.2",
                                        "librt.so.1", "libutil.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"};
  return std::ranges::find(known, soname) != std::end(known);
}

std::vector<std::string> wanted_of(std::vector<std::string> names) {
  std::erase_if(names, [](const std::string& name) { return is_of_any_system(name) || !plan::is_plain_fact(name); });
  return names;
}

bool is_asked_for(std::string_view brought, std::span<const std::string> asked) {
  return std::ranges::any_of(asked, [&](std::string_view name) {
    if (name.starts_with("lib")) name.remove_prefix(3);
    name = name.substr(0, name.find(".so"));
    std::string_view file = brought;
    if (file.starts_with("lib")) file.remove_prefix(3);
    return !name.empty() && file.starts_with(name);
  });
}

}  // namespace

std::string wheel_mark(std::string_view identity) { return sha256(identity).hex().substr(0, 8); }

const plan::MemberFacts* find_facts(const plan::PlanRecord& record, std::string_view name, std::string_view mark) {
  for (auto found = record.facts.lower_bound({.name = std::string(name), .key = 0});
       found != record.facts.end() && found->first.name == name; ++found) {
    if (found->second.wheel == mark) return &found->second;
  }
  return nullptr;
}

std::optional<std::vector<std::string>> places_of(const python::Claims& claims, std::string_view prefix,
                                                  std::string_view site_packages) {
  const std::string own = own_place(claims.name);
  std::set<std::string> places;
  for (const python::Claim& claim : claims.files) {
    std::string_view path = claim.path;
    std::string place;
    if (path.starts_with(site_packages) && path.substr(site_packages.size()).starts_with('/')) {
      path.remove_prefix(site_packages.size() + 1);
      place = path.substr(0, path.find('/'));
      if (place == own || place.ends_with(".dist-info")) continue;
    } else if (path.starts_with(prefix) && path.substr(prefix.size()).starts_with('/')) {
      path.remove_prefix(prefix.size() + 1);
      const std::size_t slash = path.find('/');
      if (slash == std::string_view::npos) return std::nullopt;  // may be where another one has a folder
      place = path.substr(0, path.find('/', slash + 1));
    } else {
      return std::nullopt;
    }
    places.insert(std::move(place));
  }
  return std::vector<std::string>(places.begin(), places.end());
}

bool fit_a_record(const std::vector<std::string>& places) {
  return places.size() <= most_places && std::ranges::all_of(places, plan::is_plain_fact);
}

std::vector<bool> meet(std::span<const Placed> distributions, std::span<const Placed> others) {
  std::set<std::string> taken;
  for (const Placed& other : others) taken.merge(all_places(other));
  std::vector<bool> result;
  for (const Placed& distribution : distributions) {
    result.push_back(
        std::ranges::any_of(all_places(distribution), [&](const std::string& place) { return taken.contains(place); }));
  }
  return result;
}

std::vector<std::string> asked_libraries(const python::WheelNeeds& needs) {
  std::vector<std::string> asked = wanted_of(needs.libraries);
  for (std::string& name : wanted_of(needs.asks_for)) asked.push_back(std::move(name));
  return asked;
}

bool put_needs(const python::WheelNeeds& needs, std::span<const std::string> asked, plan::MemberFacts& facts) {
  facts.libraries = wanted_of(needs.libraries);
  facts.asks_for = wanted_of(needs.asks_for);
  facts.brings = needs.brings;
  std::erase_if(facts.brings, [&](const std::string& name) { return !is_asked_for(name, asked); });
  for (const auto* list : {&facts.libraries, &facts.brings, &facts.asks_for}) {
    if (list->size() > most_libraries || !std::ranges::all_of(*list, plan::is_plain_fact)) return false;
  }
  return true;
}

void put_no_needs(plan::MemberFacts& facts) { facts.libraries = {not_looked_at}; }

std::optional<python::WheelNeeds> recorded_needs(const plan::MemberFacts& facts) {
  if (facts.libraries == std::vector{not_looked_at}) return std::nullopt;
  return python::WheelNeeds{facts.libraries, facts.brings, facts.asks_for};
}

}  // namespace veneer::build
