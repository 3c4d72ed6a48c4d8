#include "python/lock/stale_settings.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <set>
#include <string_view>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "python/name.hh"

namespace veneer::python {

namespace {

/// "2026-01-01T10:00:00.5+02:00" in seconds since 1970. Nothing for what is none.
std::optional<std::int64_t> instant_of(const std::string& text) {
  constexpr std::string_view form = "0000-00-00T00:00:00";
  if (text.size() <= form.size() || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':')
    return std::nullopt;
  std::array<int, 6> parts{};
  constexpr std::array<std::size_t, 6> starts = {0, 5, 8, 11, 14, 17};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto number = read_number<unsigned>(std::string_view(text).substr(starts[i], i == 0 ? 4 : 2));
    if (!number) return std::nullopt;
    parts[i] = static_cast<int>(*number);
  }
  std::string_view rest = std::string_view(text).substr(form.size());
  if (rest.starts_with('.')) rest.remove_prefix(std::min(rest.find_first_not_of("0123456789", 1), rest.size()));
  const std::chrono::sys_days date = std::chrono::year(parts[0]) / parts[1] / parts[2];
  const std::int64_t seconds = date.time_since_epoch().count() * 86400LL + parts[3] * 3600 + parts[4] * 60 + parts[5];
  if (rest == "Z" || rest == "z") return seconds;
  if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-')) return std::nullopt;
  const auto hours = read_number<int>(rest.substr(1, 2));
  const auto minutes = read_number<int>(rest.substr(4, 2));
  if (!hours || !minutes) return std::nullopt;
  return seconds - (rest[0] == '-' ? -1 : 1) * (*hours * 3600 + *minutes * 60);
}

/// "2026-01-01": what uv takes for the end of that day where it runs.
std::optional<std::int64_t> end_of_day(const std::string& text) {
  return text.size() == 10 ? instant_of(text + "T24:00:00Z") : std::nullopt;
}

/// Seconds of "P1DT12H", "1 week", "24 hours ago" and their like. Nothing for what is none.
std::optional<std::int64_t> span_of(std::string_view text) {
  std::int64_t total = 0;
  bool is_time = false;
  bool has_number = false;
  for (std::size_t at = 0; at < text.size();) {
    if (!is_digit(text[at])) {
      is_time = is_time || text[at] == 'T';
      if (text.substr(at).starts_with("ago")) break;
      if (text[at] != 'P' && text[at] != 'T' && text[at] != ' ' && text[at] != '-' && text[at] != '+' &&
          text[at] != ',')
        return std::nullopt;
      ++at;
      continue;
    }
    const std::size_t end = std::min(text.find_first_not_of("0123456789", at), text.size());
    const auto number = read_number<std::int32_t>(text.substr(at, end - at));
    std::size_t unit = end;
    while (unit < text.size() && text[unit] == ' ') ++unit;
    at = unit;
    while (at < text.size() && is_letter(text[at]) && text[at] != 'T') ++at;
    const std::string_view name = text.substr(unit, at - unit);
    const std::int64_t scale = name.starts_with('W') || name.starts_with('w')                       ? 604800
                               : name.starts_with('D') || name.starts_with('d')                     ? 86400
                               : name.starts_with('H') || name.starts_with('h')                     ? 3600
                               : (name == "M" && is_time) || name == "m" || name.starts_with("min") ? 60
                               : name.starts_with('S') || name.starts_with('s')                     ? 1
                                                                                                    : 0;
    if (!number || scale == 0) return std::nullopt;
    total += *number * scale;
    has_number = true;
  }
  return has_number ? std::optional(total) : std::nullopt;
}

struct LockedTime {
  std::string at;
  std::string span;  // before which `at` says nothing
};

/// Whether "exclude-newer" of a project is what a lock has.
bool is_same_time(const std::string& said, const LockedTime& locked) {
  if (said.empty()) return locked.at.empty() && locked.span.empty();
  const auto span = span_of(said);
  const auto locked_span = span_of(locked.span);
  if (span) return locked_span ? *span == *locked_span : !locked.at.empty();  // uv wrote none before it knew spans
  const auto locked_instant = instant_of(locked.at);
  if (const auto instant = instant_of(said)) return locked.span.empty() && locked_instant == instant;
  if (const auto day = end_of_day(said)) {
    constexpr std::int64_t furthest_zone = 14 * 3600;
    return locked.span.empty() && locked_instant && std::abs(*locked_instant - *day) <= furthest_zone;
  }
  return !locked.at.empty() || !locked.span.empty();
}

std::string shown(const LockedTime& locked) {
  if (!locked.span.empty()) return fmt::format("\"{}\"", printable(locked.span));
  return locked.at.empty() ? "not set" : fmt::format("\"{}\"", printable(locked.at));
}

LockedTime time_in(const Value* value) {
  if (value != nullptr && value->is_string()) return {value->string(), ""};
  if (value != nullptr && value->is_table()) return {value->string_or("timestamp", ""), value->string_or("span", "")};
  return {};
}

std::string text_in(const Value& settings, std::string_view key) {
  const Value* value = settings.find(key);
  return value != nullptr && value->is_string() ? value->string() : "";
}

void compare_time(const std::string& what, const std::string& said, const LockedTime& locked,
                  OptionDifferences& differences) {
  if (is_same_time(said, locked)) return;
  (said.empty() ? differences.unsaid : differences.contrary)
      .push_back(fmt::format("{} is {}, in the lock {}", what,
                             said.empty() ? "not set" : fmt::format("\"{}\"", printable(said)), shown(locked)));
}

using ConflictSet = std::set<ConflictItem>;

/// Groups by those that they include, at any depth.
std::map<std::string, std::set<std::string>> included_groups(const Value& document) {
  std::map<std::string, std::set<std::string>> included;
  for (const auto& [key, list] : document.table_or_empty("dependency-groups").table()) {
    if (!list.is_array()) continue;
    for (const Value& item : list.array()) {
      if (item.is_table()) included[normalised_name(key)].insert(normalised_name(item.string_or("include-group", "")));
    }
  }
  for (std::size_t before = 0, after = 1; before != after;) {
    before = after;
    after = 1;
    for (auto& [name, groups] : included) {
      for (const std::string& group : std::set<std::string>(groups)) {
        if (const auto more = included.find(group); more != included.end() && group != name)
          groups.insert(more->second.begin(), more->second.end());
      }
      after += groups.size();
    }
  }
  return included;
}

std::string shown(const ConflictSet& set) {
  std::string text;
  for (const ConflictItem& item : set) {
    text += text.empty() ? "" : " and ";
    if (item.kind == ConflictItem::Kind::extra) text += "extra " + printable(item.name);
    if (item.kind == ConflictItem::Kind::group) text += "group " + printable(item.name);
    if (item.kind == ConflictItem::Kind::project) text += printable(item.package);
  }
  return text;
}

}  // namespace

OptionDifferences differing_options(const Value& settings, const Value& options) {
  struct Choice {
    std::string_view setting;
    std::string_view key;
    std::string_view usual;
    std::string_view same_as_usual;
  };
  constexpr std::array choices = {Choice{"resolution", "resolution-mode", "highest", "highest"},
                                  Choice{"prerelease", "prerelease-mode", "if-necessary-or-explicit", "if-necessary"},
                                  Choice{"fork-strategy", "fork-strategy", "requires-python", "requires-python"}};
  OptionDifferences differences;
  for (const Choice& choice : choices) {
    const auto value_in = [&](const Value& table, std::string_view key) {
      const std::string text = text_in(table, key);
      return text.empty() || text == choice.same_as_usual ? std::string(choice.usual) : text;
    };
    const std::string ours = value_in(settings, choice.setting);
    const std::string theirs = value_in(options, choice.key);
    if (ours == theirs) continue;
    const bool is_said = !text_in(settings, choice.setting).empty();
    (is_said ? differences.contrary : differences.unsaid)
        .push_back(fmt::format("{} of [tool.uv] is \"{}\", in the lock \"{}\"", choice.setting, printable(ours),
                               printable(theirs)));
  }
  compare_time("exclude-newer of [tool.uv]", text_in(settings, "exclude-newer"),
               {text_in(options, "exclude-newer"), text_in(options, "exclude-newer-span")}, differences);
  const Value& packages = settings.table_or_empty("exclude-newer-package");
  const Value& locked = options.table_or_empty("exclude-newer-package");
  std::set<std::string> names;
  for (const Value* table : {&packages, &locked}) {
    for (const auto& [name, value] : table->table()) names.insert(name);
  }
  for (const std::string& name : names) {
    compare_time(fmt::format("exclude-newer-package of {}", printable(name)), text_in(packages, name),
                 time_in(locked.find(name)), differences);
  }
  return differences;
}

std::vector<std::string> differing_conflicts(const std::map<std::string, Value>& members,
                                             const std::vector<std::vector<ConflictItem>>& locked) {
  std::set<ConflictSet> ours;
  std::map<std::string, std::map<std::string, std::set<std::string>>> included;
  for (const auto& [name, document] : members) {
    included[name] = included_groups(document);
    for (const Value& set : document.table_or_empty("tool").table_or_empty("uv").array_or_empty("conflicts")) {
      ConflictSet items;
      if (!set.is_array()) continue;
      for (const Value& item : set.array()) {
        if (!item.is_table()) continue;
        const std::string package = text_in(item, "package");
        const std::string extra = text_in(item, "extra");
        const std::string group = text_in(item, "group");
        using Kind = ConflictItem::Kind;
        items.insert({!extra.empty()   ? Kind::extra
                      : !group.empty() ? Kind::group
                                       : Kind::project,
                      package.empty() ? name : normalised_name(package),
                      normalised_name(extra.empty() ? group : extra)});
      }
      ours.insert(std::move(items));
    }
  }
  std::set<ConflictSet> theirs;
  for (const std::vector<ConflictItem>& set : locked) theirs.emplace(set.begin(), set.end());
  const auto stands_for = [&](const ConflictItem& item, const ConflictItem& other) {
    if (item == other) return true;
    if (item.kind != ConflictItem::Kind::group || other.kind != item.kind || other.package != item.package)
      return false;
    const auto& groups = included[item.package];
    const auto found = groups.find(item.name);
    return found != groups.end() && found->second.contains(other.name);
  };
  const auto comes_of = [&](const ConflictSet& set, const ConflictSet& declared) {
    return std::all_of(set.begin(), set.end(), [&](const ConflictItem& item) {
      return std::any_of(declared.begin(), declared.end(),
                         [&](const ConflictItem& other) { return stands_for(item, other); });
    });
  };
  std::vector<std::string> differences;
  for (const ConflictSet& set : ours) {
    if (!theirs.contains(set)) differences.push_back(fmt::format("the conflict of {} is not in the lock", shown(set)));
  }
  for (const ConflictSet& set : theirs) {
    if (std::none_of(ours.begin(), ours.end(), [&](const ConflictSet& other) { return comes_of(set, other); }))
      differences.push_back(fmt::format("the lock has a conflict of {}, [tool.uv] has not", shown(set)));
  }
  return differences;
}

}  // namespace veneer::python
