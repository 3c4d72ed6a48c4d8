#include "python/lock/declared.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <set>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "python/lock/location.hh"
#include "python/lock/marker_environments.hh"
#include "python/name.hh"
#include "python/requirement.hh"

namespace veneer::python {

namespace {

/// "1.0" and "1.0.0" are one version.
std::string plain_clause(const std::string& clause) {
  const std::size_t start = clause.find_first_not_of("=!<>~");
  if (start == std::string::npos || clause.starts_with("===") || clause.starts_with("~=")) return clause;
  const bool is_prefix = clause.ends_with(".*");
  auto version = Version::parse(clause.substr(start, clause.size() - start - (is_prefix ? 2 : 0)));
  if (!version) return clause;
  while (!is_prefix && version->release.size() > 1 && version->release.back() == 0) version->release.pop_back();
  return clause.substr(0, start) + version->text() + (is_prefix ? ".*" : "");
}

std::string plain_specifier(const std::string& text) {
  std::set<std::string> clauses;
  for (const std::string& clause : split_words(text, ",")) clauses.insert(plain_clause(std::string(trimmed(clause))));
  return fmt::format("{}", fmt::join(clauses, ","));
}

std::string plain_path(const std::string& folder, const std::string& path) {
  std::string result = (std::filesystem::path(folder) / path).lexically_normal().generic_string();
  while (result.size() > 1 && result.ends_with('/')) result.pop_back();
  return "path " + result;
}

/// Without user and password, which uv leaves out of locks.
std::string without_login(std::string url) {
  constexpr std::string_view separator = "://";
  const std::size_t start = url.find(separator);
  if (start == std::string::npos) return url;
  const std::size_t authority = start + separator.size();
  const std::size_t end = std::min(url.find_first_of("/?#", authority), url.size());
  const std::size_t at = url.substr(0, end).rfind('@');
  return at == std::string::npos || at < authority ? url : url.erase(authority, at + 1 - authority);
}

std::string plain_url(std::string url) {
  url = without_login(without_fragment(url));
  while (url.ends_with('/')) url.pop_back();
  return url;
}

/// Of a repository and what is asked of it: "rev", "tag", "branch", "subdirectory".
std::string plain_git(const std::string& url, const std::map<std::string, std::string>& asked) {
  std::string text = "git " + plain_url(url);
  char separator = '?';
  for (const auto& [key, value] : asked) {
    if (value.empty()) continue;
    text += fmt::format("{}{}={}", separator, key, value);
    separator = '&';
  }
  return text;
}

std::map<std::string, std::string> pairs_of(std::string_view text) {
  std::map<std::string, std::string> pairs;
  for (const std::string& pair : split_words(text, "&")) {
    const std::size_t equal = std::min(pair.find('='), pair.size());
    pairs[pair.substr(0, equal)] = percent_decoded(std::string_view(pair).substr(std::min(equal + 1, pair.size())));
  }
  return pairs;
}

/// "https://host/repo?rev=1&subdirectory=a", as the lock writes it.
std::string git_of_lock(const std::string& url) {
  const std::size_t question = std::min(url.find('?'), url.size());
  std::map<std::string, std::string> asked =
      pairs_of(without_fragment(std::string_view(url).substr(std::min(question + 1, url.size()))));
  std::erase_if(asked, [](const auto& pair) { return pair.first == "lfs"; });
  return plain_git(url.substr(0, question), asked);
}

/// "name @ url" of PEP 508.
std::string place_of_url(const std::string& url, const SourceScope& scope) {
  const std::size_t hash = std::min(url.find('#'), url.size());
  const auto fragment = pairs_of(std::string_view(url).substr(std::min(hash + 1, url.size())));
  const auto found = fragment.find("subdirectory");
  const std::string subdirectory = found == fragment.end() ? "" : found->second;
  std::string place = url.substr(0, hash);
  if (place.starts_with("git+")) {
    place.erase(0, 4);
    std::string revision;
    const std::size_t path = place.find('/', std::min(place.find("://"), place.size() - 1) + 3);
    const std::size_t at = place.rfind('@');
    if (at != std::string::npos && path != std::string::npos && at > path) {
      revision = place.substr(at + 1);
      place.resize(at);
    }
    return plain_git(place, {{"rev", revision}, {"subdirectory", subdirectory}});
  }
  if (place.starts_with("file://")) return plain_path(scope.folder, percent_decoded(place.substr(7)));
  return "url " + plain_url(place) + (subdirectory.empty() ? "" : "#" + subdirectory);
}

std::string place_of_source(const std::string& name, const Value& source, const SourceScope& scope) {
  const std::string subdirectory = source.string_or("subdirectory", "");
  if (source.boolean_or("workspace", false)) {
    const auto member = scope.members.find(name);
    return member == scope.members.end() ? "workspace" : plain_path(".", member->second);
  }
  if (const Value* path = source.find("path")) return plain_path(scope.folder, path->string());
  if (const Value* git = source.find("git")) {
    return plain_git(git->string(), {{"rev", source.string_or("rev", "")},
                                     {"tag", source.string_or("tag", "")},
                                     {"branch", source.string_or("branch", "")},
                                     {"subdirectory", subdirectory}});
  }
  if (const Value* url = source.find("url")) {
    return "url " + plain_url(url->string()) + (subdirectory.empty() ? "" : "#" + subdirectory);
  }
  if (const Value* index = source.find("index")) {
    const auto known = scope.index_urls.find(index->string());
    return "index " + (known == scope.index_urls.end() ? index->string() : plain_url(known->second));
  }
  return {};
}

/// Those of [tool.uv.sources] that count for `name`, as tables.
std::vector<const Value*> sources_of(const std::string& name, const SourceScope& scope, std::string_view extra,
                                     std::string_view group) {
  for (const Value* table : {scope.own, scope.of_workspace}) {
    if (table == nullptr) continue;
    for (const auto& [key, value] : table->table()) {
      if (normalised_name(key) != name) continue;
      std::vector<const Value*> all;
      if (value.is_table()) {
        all.push_back(&value);
      } else {
        for (const Value& one : value.array()) all.push_back(&one);
      }
      std::erase_if(all, [&](const Value* source) {
        const std::string of_extra = normalised_name(source->string_or("extra", ""));
        const std::string of_group = normalised_name(source->string_or("group", ""));
        return (!of_extra.empty() && of_extra != extra) || (!of_group.empty() && of_group != group);
      });
      return all;
    }
  }
  return {};
}

void add_declared(const std::string& text, const SourceScope& scope, std::string_view extra, std::string_view group,
                  std::vector<DeclaredRequirement>& result) {
  const Requirement requirement = Requirement::parse(text);
  DeclaredRequirement declared;
  declared.name = normalised_name(requirement.name);
  declared.extras = normalised_names(requirement.extras);
  std::sort(declared.extras.begin(), declared.extras.end());
  declared.all.push_back(requirement.marker);
  if (!extra.empty()) declared.all.push_back(Marker::parse(fmt::format("extra == '{}'", extra)));
  const std::string specifier = plain_specifier(requirement.specifier.text());
  for (const Value* source : sources_of(declared.name, scope, extra, group)) {
    DeclaredRequirement one = declared;
    one.source = place_of_source(one.name, *source, scope);
    if (one.source.empty() || one.source.starts_with("index ")) one.specifier = specifier;
    const std::string marker = source->string_or("marker", "");
    if (marker.empty()) {
      result.push_back(std::move(one));
      return;
    }
    const Marker condition = Marker::parse(marker);
    one.all.push_back(condition);
    declared.none.push_back(condition);
    result.push_back(std::move(one));
  }
  if (!requirement.url.empty()) {
    declared.source = place_of_url(requirement.url, scope);
  } else {
    declared.specifier = specifier;
  }
  result.push_back(std::move(declared));
}

bool holds(const DeclaredRequirement& requirement, const MarkerEnvironment& environment) {
  const auto is = [&](Truth truth) {
    return [&environment, truth](const Marker& marker) { return marker.evaluate(environment) == truth; };
  };
  return std::all_of(requirement.all.begin(), requirement.all.end(), is(Truth::yes)) &&
         std::all_of(requirement.none.begin(), requirement.none.end(), is(Truth::no));
}

using Alternatives = std::vector<const DeclaredRequirement*>;

bool same_conditions(const Alternatives& left, const Alternatives& right, std::string_view requires_python) {
  MarkerEnvironments environments(requires_python);
  for (const Alternatives* side : {&left, &right}) {
    for (const DeclaredRequirement* requirement : *side) {
      for (const auto* markers : {&requirement->all, &requirement->none}) {
        for (const Marker& marker : *markers) environments.look_at(marker);
      }
    }
  }
  const auto any = [](const Alternatives& side, const MarkerEnvironment& environment) {
    return std::any_of(side.begin(), side.end(), [&](const auto* one) { return holds(*one, environment); });
  };
  return environments.all(
      [&](const MarkerEnvironment& environment) { return any(left, environment) == any(right, environment); });
}

std::string with_markers(const Alternatives& alternatives) {
  std::vector<std::string> markers;
  for (const Marker& marker : alternatives.front()->all) {
    if (!marker.text().empty()) markers.push_back(marker.text());
  }
  const std::string text = alternatives.front()->text();
  return printable(markers.empty() ? text : fmt::format("{} ; {}", text, fmt::join(markers, " and ")));
}

}  // namespace

std::string DeclaredRequirement::text() const {
  std::string result = name;
  if (!extras.empty()) result += fmt::format("[{}]", fmt::join(extras, ","));
  if (!specifier.empty()) result += " " + specifier;
  if (!source.empty()) result += " from " + source;
  return result;
}

std::vector<DeclaredRequirement> declared_in(const std::vector<std::string>& texts, const SourceScope& scope,
                                             std::string_view extra, std::string_view group) {
  std::vector<DeclaredRequirement> result;
  for (const std::string& text : texts) add_declared(text, scope, extra, group, result);
  return result;
}

std::vector<DeclaredRequirement> declared_in_lock(const Value::Array& rows) {
  std::vector<DeclaredRequirement> result;
  for (const Value& row : rows) {
    DeclaredRequirement one;
    one.name = normalised_name(row.at("name").string());
    one.extras = normalised_names(row.strings_or_empty("extras"));
    std::sort(one.extras.begin(), one.extras.end());
    one.specifier = plain_specifier(row.string_or("specifier", ""));
    for (const std::string_view key : {"editable", "directory", "virtual", "path"}) {
      if (const Value* path = row.find(key)) one.source = plain_path(".", path->string());
    }
    if (const Value* git = row.find("git")) one.source = git_of_lock(git->string());
    if (const Value* index = row.find("index")) one.source = "index " + plain_url(index->string());
    if (const Value* url = row.find("url")) {
      const std::string subdirectory = row.string_or("subdirectory", "");
      one.source = "url " + plain_url(url->string()) + (subdirectory.empty() ? "" : "#" + subdirectory);
    }
    if (const std::string marker = row.string_or("marker", ""); !marker.empty())
      one.all.push_back(Marker::parse(marker));
    result.push_back(std::move(one));
  }
  return result;
}

std::vector<std::string> differences(const std::vector<DeclaredRequirement>& declared,
                                     const std::vector<DeclaredRequirement>& locked, std::string_view requires_python) {
  struct Sides {
    std::map<std::string, Alternatives> declared;
    std::map<std::string, Alternatives> locked;
  };
  std::map<std::string, Sides> names;
  for (const DeclaredRequirement& one : declared) names[one.name].declared[one.text()].push_back(&one);
  for (const DeclaredRequirement& one : locked) names[one.name].locked[one.text()].push_back(&one);
  std::vector<std::string> result;
  for (auto& [name, sides] : names) {
    std::vector<std::string> conditions;
    for (auto row = sides.declared.begin(); row != sides.declared.end();) {
      const auto other = sides.locked.find(row->first);
      const bool is_there = other != sides.locked.end();
      const bool is_same = same_conditions(row->second, is_there ? other->second : Alternatives(), requires_python);
      if (!is_same && is_there) {
        conditions.push_back(fmt::format("pyproject.toml says '{}', the lock '{}'", with_markers(row->second),
                                         with_markers(other->second)));
      }
      if (is_there) sides.locked.erase(other);
      row = is_there || is_same ? sides.declared.erase(row) : std::next(row);
    }
    std::erase_if(sides.locked, [&](const auto& row) { return same_conditions({}, row.second, requires_python); });
    result.insert(result.end(), conditions.begin(), conditions.end());
    if (!sides.declared.empty() && !sides.locked.empty()) {
      result.push_back(fmt::format("pyproject.toml says '{}', the lock '{}'",
                                   with_markers(sides.declared.begin()->second),
                                   with_markers(sides.locked.begin()->second)));
    } else if (!sides.declared.empty()) {
      result.push_back(fmt::format("'{}' is not in the lock", with_markers(sides.declared.begin()->second)));
    } else if (!sides.locked.empty()) {
      result.push_back(
          fmt::format("the lock has '{}', pyproject.toml does not", with_markers(sides.locked.begin()->second)));
    }
  }
  return result;
}

bool mean_the_same(const std::vector<Marker>& left, const std::vector<Marker>& right,
                   std::string_view requires_python) {
  const auto alternatives = [](const std::vector<Marker>& markers) {
    std::vector<DeclaredRequirement> all;
    for (const Marker& marker : markers) all.push_back({{}, {}, {}, {}, {marker}, {}});
    if (markers.empty()) all.emplace_back();
    return all;
  };
  const auto pointers = [](const std::vector<DeclaredRequirement>& all) {
    Alternatives result;
    for (const DeclaredRequirement& one : all) result.push_back(&one);
    return result;
  };
  const auto lefts = alternatives(left);
  const auto rights = alternatives(right);
  return same_conditions(pointers(lefts), pointers(rights), requires_python);
}

bool same_python_bounds(const std::vector<std::string>& declared, const std::string& locked) {
  const auto bounds = [](const std::string& text) {
    std::vector<std::string> clauses = split_words(text, ",");
    std::erase_if(clauses, [](const std::string& clause) { return trimmed(clause).starts_with("!="); });
    return SpecifierSet::parse(fmt::format("{}", fmt::join(clauses, ",")));
  };
  std::vector<std::string> texts = declared;
  texts.push_back(locked);
  const auto lock = bounds(locked);
  for (const auto& numbers : python_versions_around(texts)) {
    Version version;
    version.release = {numbers[0], numbers[1], numbers[2]};
    const bool is_declared = std::all_of(declared.begin(), declared.end(), [&](const std::string& one) {
      const auto specifiers = bounds(one);
      return !specifiers || specifiers->contains(version);
    });
    if (!lock || is_declared != lock->contains(version)) return false;
  }
  return true;
}

}  // namespace veneer::python
