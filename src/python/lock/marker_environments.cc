#include "python/lock/marker_environments.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/text.hh"
#include "python/specifier.hh"

namespace veneer::python {

using enum MarkerVariable;

namespace {

constexpr std::size_t most_environments = 20000;

std::string text_of(const std::array<std::uint64_t, 3>& version) {
  return fmt::format("{}.{}.{}", version[0], version[1], version[2]);
}

}  // namespace

void MarkerEnvironments::look_at(const Marker& marker) {
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    for (std::string& text : marker.texts_compared_with(static_cast<MarkerVariable>(i))) {
      texts_[i].insert(std::move(text));
    }
  }
}

bool MarkerEnvironments::all(const std::function<bool(const MarkerEnvironment&)>& holds) const {
  std::vector<std::vector<Assignment>> axes = {systems(), pythons(), implementations(), extra_sets()};
  for (const MarkerVariable variable :
       {MarkerVariable::platform_machine, MarkerVariable::platform_release, MarkerVariable::platform_version}) {
    std::vector<Assignment> values = {{{{variable, "other"}}, {}}};
    for (const std::string& text : texts(variable)) values.push_back({{{variable, text}}, {}});
    axes.push_back(std::move(values));
  }
  std::vector<std::size_t> place(axes.size());
  for (std::size_t count = 0; count < most_environments; ++count) {
    MarkerEnvironment environment;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      for (const auto& [variable, text] : axes[i][place[i]].values) environment[variable] = text;
      environment.extras.insert(axes[i][place[i]].extras.begin(), axes[i][place[i]].extras.end());
    }
    if (!holds(environment)) return false;
    std::size_t axis = 0;
    while (axis < axes.size() && ++place[axis] == axes[axis].size()) place[axis++] = 0;
    if (axis == axes.size()) break;
  }
  return true;
}

/// Names that belong together, and each that a marker names with what no system has.
std::vector<MarkerEnvironments::Assignment> MarkerEnvironments::systems() const {
  constexpr std::array<std::array<std::string_view, 3>, 4> known = {{{"linux", "Linux", "posix"},
                                                                     {"darwin", "Darwin", "posix"},
                                                                     {"win32", "Windows", "nt"},
                                                                     {"other", "Other", "other"}}};
  std::vector<Assignment> result;
  std::set<std::string_view> seen;
  for (const auto& system : known) {
    result.push_back({{{sys_platform, std::string(system[0])},
                       {platform_system, std::string(system[1])},
                       {os_name, std::string(system[2])}},
                      {}});
    seen.insert(system.begin(), system.end());
  }
  for (const MarkerVariable variable : {sys_platform, platform_system, os_name}) {
    for (const std::string& text : texts(variable)) {
      if (seen.contains(text)) continue;
      Assignment assignment = result.back();
      assignment.values = {{sys_platform, "other"}, {platform_system, "Other"}, {os_name, "other"}, {variable, text}};
      result.push_back(std::move(assignment));
    }
  }
  return result;
}

std::vector<MarkerEnvironments::Assignment> MarkerEnvironments::implementations() const {
  std::vector<Assignment> result = {
      {{{platform_python_implementation, "CPython"}, {implementation_name, "cpython"}}, {}},
      {{{platform_python_implementation, "PyPy"}, {implementation_name, "pypy"}}, {}}};
  for (const MarkerVariable variable : {platform_python_implementation, implementation_name}) {
    for (const std::string& text : texts(variable)) {
      result.push_back(
          {{{platform_python_implementation, "Other"}, {implementation_name, "other"}, {variable, text}}, {}});
    }
  }
  return result;
}

std::vector<MarkerEnvironments::Assignment> MarkerEnvironments::pythons() const {
  std::vector<std::string> named;
  for (const MarkerVariable variable : {python_version, python_full_version, implementation_version}) {
    named.insert(named.end(), texts(variable).begin(), texts(variable).end());
  }
  const auto allowed = SpecifierSet::parse(requires_python_);
  std::vector<Assignment> result;
  // What none of the markers names makes no difference between them.
  if (!named.empty()) named.push_back(requires_python_);
  for (const auto& version : python_versions_around(named)) {
    Version full;
    full.release = {version[0], version[1], version[2]};
    if (allowed && !allowed->contains(full) && !named.empty()) continue;
    const std::string text = text_of(version);
    result.push_back({{{python_full_version, text},
                       {implementation_version, text},
                       {python_version, fmt::format("{}.{}", version[0], version[1])}},
                      {}});
  }
  return result;
}

std::vector<MarkerEnvironments::Assignment> MarkerEnvironments::extra_sets() const {
  const std::vector<std::string> names(texts(extra).begin(), texts(extra).end());
  std::vector<Assignment> result;
  constexpr std::size_t few = 6;  // of which every set is looked at
  if (names.size() <= few) {
    for (std::size_t set = 0; set < std::size_t{1} << names.size(); ++set) {
      Assignment assignment;
      for (std::size_t i = 0; i < names.size(); ++i) {
        if ((set >> i & 1) != 0) assignment.extras.insert(names[i]);
      }
      result.push_back(std::move(assignment));
    }
    return result;
  }
  result.push_back({{}, {}});
  for (const std::string& name : names) result.push_back({{}, {name}});
  result.push_back({{}, {names.begin(), names.end()}});
  return result;
}

std::set<std::array<std::uint64_t, 3>> python_versions_around(const std::vector<std::string>& texts) {
  std::set<std::array<std::uint64_t, 3>> result = {{3, 12, 4}};
  for (const std::string& text : texts) {
    for (std::size_t at = 0; at < text.size();) {
      if (!is_digit(text[at])) {
        ++at;
        continue;
      }
      const std::size_t end = std::min(text.find_first_not_of("0123456789.", at), text.size());
      std::array<std::uint64_t, 3> numbers{};
      std::size_t count = 0;
      for (const std::string& part : split_words(std::string_view(text).substr(at, end - at), ".")) {
        if (count < 3) numbers[count++] = std::min<std::uint64_t>(read_number<std::uint64_t>(part).value_or(0), 1000);
      }
      at = end;
      const auto [major, minor, patch] = numbers;
      for (const std::uint64_t other : {minor - std::min<std::uint64_t>(minor, 1), minor, minor + 1}) {
        for (const std::uint64_t p : {patch - std::min<std::uint64_t>(patch, 1), patch, patch + 1, std::uint64_t{99}}) {
          result.insert({major, other, p});
        }
      }
      result.insert({major + 1, 0, 0});
    }
  }
  return result;
}

}  // namespace veneer::python
