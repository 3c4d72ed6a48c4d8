#include "python/project/requires_python.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "foundation/error.hh"

namespace veneer::python {

namespace {

/// As much of PEP 440 as versions of Python and bounds on them use: a release, perhaps a stage before it.
struct PythonVersion {
  std::vector<std::int64_t> release;
  int stage = 4;  // 0 dev, 1 a, 2 b, 3 rc, 4 final
  std::int64_t stage_number = 0;

  std::int64_t part(std::size_t index) const { return index < release.size() ? release[index] : 0; }
};

std::strong_ordering compare(const PythonVersion& a, const PythonVersion& b) {
  for (std::size_t i = 0; i < std::max(a.release.size(), b.release.size()); ++i) {
    if (const auto order = a.part(i) <=> b.part(i); order != 0) return order;
  }
  if (const auto order = a.stage <=> b.stage; order != 0) return order;
  return a.stage_number <=> b.stage_number;
}

bool same_release(const PythonVersion& a, const PythonVersion& b) {
  for (std::size_t i = 0; i < std::max(a.release.size(), b.release.size()); ++i) {
    if (a.part(i) != b.part(i)) return false;
  }
  return true;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || text.empty() || text[0] == '-') return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::optional<PythonVersion> parse_version(std::string_view text) {
  PythonVersion version;
  if (text.starts_with('v') || text.starts_with('V')) text.remove_prefix(1);
  for (;;) {
    const auto number = take_number(text);
    if (!number || version.release.size() > 8) return std::nullopt;
    version.release.push_back(*number);
    if (!text.starts_with('.') || text.size() < 2 || text[1] < '0' || text[1] > '9') break;
    text.remove_prefix(1);
  }
  struct Stage {
    std::string_view name;
    int rank;
  };
  constexpr std::array stages = {Stage{"alpha", 1}, Stage{"beta", 2}, Stage{"preview", 3},
                                 Stage{"pre", 3},   Stage{"rc", 3},   Stage{"dev", 0},
                                 Stage{"a", 1},     Stage{"b", 2},    Stage{"c", 3}};
  std::string_view rest = text;
  if (rest.starts_with('.') || rest.starts_with('-') || rest.starts_with('_')) rest.remove_prefix(1);
  for (const Stage& stage : stages) {
    if (!rest.starts_with(stage.name)) continue;
    rest.remove_prefix(stage.name.size());
    version.stage = stage.rank;
    version.stage_number = take_number(rest).value_or(0);
    text = rest;
    break;
  }
  // "3.13.0+" is a Python built from its repository (PEP 508); a dev stage behind another one changes nothing here.
  if (text == "+" || text.empty()) return version;
  return std::nullopt;
}

bool starts_with_release(const PythonVersion& version, const PythonVersion& start) {
  for (std::size_t i = 0; i < start.release.size(); ++i) {
    if (version.part(i) != start.release[i]) return false;
  }
  return true;
}

bool allows_one(std::string_view specifier, const PythonVersion& python, const std::string& full_version) {
  const auto refuse = [&]() -> bool {
    throw Error(ErrorKind::refused, fmt::format("requires-python has \"{}\", which is no version specifier (PEP 440)",
                                                printable(specifier)));
  };
  std::string_view name;
  for (const std::string_view candidate : {"===", "==", "!=", "<=", ">=", "~=", "<", ">"}) {
    if (specifier.starts_with(candidate)) {
      name = candidate;
      break;
    }
  }
  if (name.empty()) return refuse();
  std::string_view text = trimmed(specifier.substr(name.size()));
  if (name == "===") return text == full_version;
  const bool is_prefix = text.ends_with(".*");
  if (is_prefix) {
    if (name != "==" && name != "!=") return refuse();
    text.remove_suffix(2);
  }
  const std::optional<PythonVersion> bound = parse_version(text);
  if (!bound) return refuse();
  const auto order = compare(python, *bound);
  if (name == "==") return is_prefix ? starts_with_release(python, *bound) : order == 0;
  if (name == "!=") return is_prefix ? !starts_with_release(python, *bound) : order != 0;
  if (name == "<=") return order <= 0;
  if (name == ">=") return order >= 0;
  if (name == ">") return order > 0;
  if (name == "<") {
    // PEP 440: a bound excludes its own pre-releases, unless it is one.
    return order < 0 && !(bound->stage == 4 && python.stage < 4 && same_release(python, *bound));
  }
  if (bound->release.size() < 2) return refuse();  // ~=
  PythonVersion start = *bound;
  start.release.pop_back();
  return order >= 0 && starts_with_release(python, start);
}

}  // namespace

bool allows_python(const std::string& requires_python, const std::string& full_version) {
  const std::optional<PythonVersion> python = parse_version(full_version);
  if (!python) throw Error(ErrorKind::refused, fmt::format("\"{}\" is no version of Python", printable(full_version)));
  std::string_view rest = trimmed(requires_python);
  bool allowed = true;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    const std::string_view one = trimmed(rest.substr(0, end));
    if (!one.empty()) allowed = allows_one(one, *python, full_version) && allowed;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return allowed;
}

}  // namespace veneer::python
