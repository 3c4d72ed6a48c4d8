// Versions, specifiers, markers, names, requirements, file names and tags against the tables of the corpus, whose
// answers come from the reference implementation of the PEPs.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "python/marker.hh"
#include "python/name.hh"
#include "python/requirement.hh"
#include "python/specifier.hh"
#include "python/tag.hh"
#include "python/version.hh"
#include "python/wheel_file_name.hh"
#include "tests/support/corpus.hh"

namespace veneer::python {
namespace {

using Row = std::vector<std::string>;

std::string unescaped(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      result += text[i];
      continue;
    }
    const char c = text[++i];
    result += c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c == 'f' ? '\f' : c == 'v' ? '\v' : c;
  }
  return result;
}

/// The rows of a table, without the head. Fields that may be missing at the end are empty.
std::vector<Row> table(const std::string& name, std::size_t fields) {
  std::vector<Row> rows;
  std::istringstream lines(tests::read_corpus("packaging/" + name));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# ")) continue;
    Row row;
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, '\t');) row.push_back(cell);
    row.resize(std::max(row.size(), fields));
    rows.push_back(std::move(row));
  }
  EXPECT_FALSE(rows.empty()) << name;
  fmt::print("{}: {} rows\n", name, rows.size());
  return rows;
}

template <typename Action>
bool succeeds(Action&& action) {
  try {
    action();
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    return false;
  }
}

std::vector<std::string> strings(const std::string& json) {
  std::vector<std::string> result;
  const Value document = parse_json(json);
  for (const Value& one : document.array())
    result.push_back(one.is_integer() ? std::to_string(one.integer()) : one.string());
  return result;
}

TEST(PackagingConformance, VersionsParse) {
  VENEER_NEEDS_CORPUS();
  for (const Row& row : table("versions_parse.tsv", 3)) {
    EXPECT_EQ(Version::parse(unescaped(row[0])).has_value(), row[1] == "valid") << row[0];
  }
}

TEST(PackagingConformance, VersionsNormalise) {
  VENEER_NEEDS_CORPUS();
  for (const Row& row : table("versions_normalize.tsv", 3)) {
    const auto version = Version::parse(unescaped(row[0]));
    ASSERT_TRUE(version) << row[0];
    EXPECT_EQ(version->text(), row[1]) << row[0];
  }
}

TEST(PackagingConformance, VersionsOrder) {
  VENEER_NEEDS_CORPUS();
  const Value document = parse_json(tests::read_corpus("packaging/versions_ordered.json"));
  for (const auto& [name, list] : document.table()) {
    const Value::Array& versions = list.array();
    fmt::print("{}: {} versions\n", name, versions.size());
    for (std::size_t i = 0; i < versions.size(); ++i) {
      for (std::size_t j = 0; j < versions.size(); ++j) {
        const auto left = Version::parse(versions[i].string());
        const auto right = Version::parse(versions[j].string());
        ASSERT_TRUE(left && right);
        EXPECT_EQ(*left <=> *right, i <=> j) << versions[i].string() << " " << versions[j].string();
      }
    }
  }
}

TEST(PackagingConformance, SpecifiersParse) {
  VENEER_NEEDS_CORPUS();
  for (const Row& row : table("specifiers_parse.tsv", 3)) {
    EXPECT_EQ(Specifier::parse(unescaped(row[0])).has_value(), row[1] == "valid") << row[0];
  }
}

Prereleases prereleases(const std::string& text) {
  if (text == "true") return Prereleases::accept;
  return text == "false" ? Prereleases::reject : Prereleases::as_needed;
}

TEST(PackagingConformance, SpecifiersContain) {
  VENEER_NEEDS_CORPUS();
  for (const Row& row : table("specifiers_contains.tsv", 5)) {
    const auto set = SpecifierSet::parse(unescaped(row[0]));
    ASSERT_TRUE(set) << row[0];
    EXPECT_EQ(set->contains(std::string_view(unescaped(row[1])), prereleases(row[2])), row[3] == "true")
        << row[0] << " | " << row[1] << " | " << row[2];
  }
}

TEST(PackagingConformance, SpecifiersFilter) {
  VENEER_NEEDS_CORPUS();
  // An element is a text or {"!Version": text}, which is the same to us.
  const auto versions = [](const std::string& json) {
    std::vector<std::string> result;
    const Value document = parse_json(json);
    for (const Value& one : document.array()) {
      result.push_back(one.is_string() ? one.string() : one.at("!Version").string());
    }
    return result;
  };
  for (const Row& row : table("specifiers_filter.tsv", 6)) {
    const auto set = SpecifierSet::parse(unescaped(row[0]));
    ASSERT_TRUE(set) << row[0];
    // What the call says goes before what the set was made with.
    const Prereleases choice = prereleases(row[2] == "null" ? row[1] : row[2]);
    EXPECT_EQ(set->filter(versions(row[3]), choice), versions(row[4]))
        << row[0] << " | " << row[1] << " | " << row[2] << " | " << row[3];
  }
}

TEST(PackagingConformance, Names) {
  VENEER_NEEDS_CORPUS();
  for (const Row& row : table("names.tsv", 4)) {
    EXPECT_EQ(normalised_name(row[0]), row[1]);
    EXPECT_EQ(is_valid_name(row[0]), row[2] == "valid") << row[0];
  }
}

TEST(PackagingConformance, MarkersParse) {
  VENEER_NEEDS_CORPUS();
  for (const Row& row : table("markers_parse.tsv", 3)) {
    EXPECT_EQ(succeeds([&] { Marker::parse(unescaped(row[0])); }), row[1] == "valid") << row[0];
  }
}

TEST(PackagingConformance, MarkersEvaluate) {
  VENEER_NEEDS_CORPUS();
  for (const Row& row : table("markers_eval_upstream.tsv", 5)) {
    MarkerEnvironment environment;
    const Value document = parse_json(row[1]);
    for (const auto& [name, value] : document.table()) {
      const auto variable = find_marker_variable(name);
      ASSERT_TRUE(variable) << name;
      if (value.is_array()) {
        auto& names = *variable == MarkerVariable::extras ? environment.extras : environment.groups;
        for (const Value& one : value.array()) names.insert(normalised_name(one.string()));
      } else if (*variable == MarkerVariable::extra) {
        environment.extras = {normalised_name(value.string())};
      } else {
        environment[*variable] = value.string();
      }
    }
    EXPECT_EQ(Marker::parse(unescaped(row[0])).evaluate(environment), row[2] == "true" ? Truth::yes : Truth::no)
        << row[0] << row[1];
  }
}

TEST(PackagingConformance, MarkersOfRealLocksInRealEnvironments) {
  VENEER_NEEDS_CORPUS();
  std::vector<MarkerEnvironment> environments;
  const Value document = parse_json(tests::read_corpus("packaging/environments.json"));
  for (const auto& [name, values] : document.table()) {
    MarkerEnvironment environment;
    for (const auto& [variable, value] : values.table()) environment[*find_marker_variable(variable)] = value.string();
    environments.push_back(environment);
  }
  int answers = 0;
  for (const Row& row : table("markers_real.tsv", 1 + environments.size())) {
    const Marker marker = Marker::parse(row[0]);
    EXPECT_EQ(Marker::parse(marker.text()).text(), marker.text());
    for (std::size_t i = 0; i < environments.size(); ++i, ++answers) {
      EXPECT_EQ(marker.evaluate(environments[i]), row[i + 1] == "T" ? Truth::yes : Truth::no)
          << row[0] << " in column " << i + 1;
    }
  }
  fmt::print("markers_real.tsv: {} answers\n", answers);
}

TEST(PackagingConformance, Requirements) {
  VENEER_NEEDS_CORPUS();
  for (const Row& row : table("requirements_parse.tsv", 8)) {
    Requirement requirement;
    const bool valid = succeeds([&] { requirement = Requirement::parse(unescaped(row[0])); });
    EXPECT_EQ(valid, row[1] == "valid") << row[0];
    if (!valid || row[1] != "valid") continue;
    EXPECT_EQ(normalised_name(requirement.name), row[2]) << row[0];
    EXPECT_EQ(requirement.extras, strings(row[3])) << row[0];
    EXPECT_EQ(requirement.url, row[4]) << row[0];
    EXPECT_EQ(requirement.specifier.text(), row[5]) << row[0];
    EXPECT_EQ(requirement.marker.text(), row[6]) << row[0];
  }
}

TEST(PackagingConformance, WheelFileNames) {
  VENEER_NEEDS_CORPUS();
  for (const Row& row : table("wheel_filenames.tsv", 6)) {
    WheelFileName name;
    const bool valid = succeeds([&] { name = parse_wheel_file_name(row[0]); });
    EXPECT_EQ(valid, row[1] == "valid") << row[0];
    if (!valid || row[1] != "valid") continue;
    EXPECT_EQ(normalised_name(name.name), row[2]);
    EXPECT_EQ(Version::parse(name.version)->text(), row[3]);
    std::string build;
    for (const std::string& part : strings(row[4])) build += part;
    EXPECT_EQ(name.build, build);
    EXPECT_EQ(name.tags, strings(row[5]));
  }
}

TEST(PackagingConformance, SdistFileNames) {
  VENEER_NEEDS_CORPUS();
  for (const Row& row : table("sdist_filenames.tsv", 5)) {
    const auto name = parse_sdist_file_name(row[0]);
    EXPECT_EQ(name.has_value(), row[1] == "valid") << row[0];
    if (!name) continue;
    EXPECT_EQ(name->name, row[2]);
    EXPECT_EQ(name->version, row[3]);
  }
}

/// "cp313t-x86_64-glibc2.36".
Target target_of(const std::string& key) {
  const std::size_t dash = key.find('-');
  const std::size_t last = key.rfind('-');
  Target target;
  std::string python = key.substr(2, dash - 2);
  if (python.ends_with('t')) {
    target.threading = Threading::free_threaded;
    python.pop_back();
  }
  target.minor = std::stoi(python.substr(1));
  target.machine = key.substr(dash + 1, last - dash - 1);
  std::string libc = key.substr(last + 1);
  target.libc.kind = libc.starts_with("musl") ? LibcKind::musl : LibcKind::glibc;
  libc.erase(0, libc.find_first_of("0123456789"));
  target.libc.major = std::stoi(libc);
  target.libc.minor = std::stoi(libc.substr(libc.find('.') + 1));
  return target;
}

TEST(PackagingConformance, TagsInTheirOrder) {
  VENEER_NEEDS_CORPUS();
  const Value tables = parse_json(tests::read_corpus("packaging/tags_ordered.json"));
  int whole = 0;
  for (const auto& [key, facts] : tables.table()) {
    const Target target = target_of(key);
    std::vector<std::string> platforms;
    for (const Value& one : facts.at("platforms").array()) platforms.push_back(one.string());
    EXPECT_EQ(supported_platforms(target), platforms) << key;
    const std::vector<std::string> tags = supported_tags(target);
    EXPECT_EQ(static_cast<std::int64_t>(tags.size()), facts.at("count").integer()) << key;
    const Value* expected = facts.find("tags");
    if (expected == nullptr) continue;
    ++whole;
    ASSERT_EQ(tags.size(), expected->array().size()) << key;
    for (std::size_t i = 0; i < tags.size(); ++i)
      EXPECT_EQ(tags[i], expected->array()[i].string()) << key << " at " << i;
  }
  fmt::print("tags_ordered.json: {} targets, {} of them tag by tag\n", tables.table().size(), whole);
}

TEST(PackagingConformance, ChoiceAmongTheWheelsOfARelease) {
  VENEER_NEEDS_CORPUS();
  std::istringstream lines(tests::read_corpus("packaging/wheel_choice.jsonl.xz"));
  int choices = 0;
  for (std::string line; std::getline(lines, line);) {
    const Value release = parse_json(line);
    for (const auto& [key, expected] : release.at("choice").table()) {
      const TagRanks ranks(target_of(key));
      std::string best;
      std::string best_build;
      std::size_t best_rank = 0;
      for (const Value& wheel : release.at("wheels").array()) {
        const auto name = read_wheel_tags(wheel.string());
        if (!name) continue;
        const auto rank = ranks.best(name->tags);
        // Of two that are equally good the corpus took the last of its list; in a lock the first one counts.
        const bool is_better = rank && (best.empty() || *rank < best_rank ||
                                        (*rank == best_rank && !is_later_build(best_build, name->build)));
        if (!is_better) continue;
        best = wheel.string();
        best_rank = *rank;
        best_build = name->build;
      }
      ++choices;
      EXPECT_EQ(best, expected.is_null() ? "" : expected.string()) << release.at("name").string() << " for " << key;
    }
  }
  fmt::print("wheel_choice: {} choices\n", choices);
}

}  // namespace
}  // namespace veneer::python
