// Every wheel of the corpus has the outcome that its expected.json gives.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"
#include "python/wheel/describe.hh"
#include "tests/support/corpus.hh"

namespace veneer::python {
namespace {

/// What became of a wheel: its description, or why it was refused.
struct Result {
  std::optional<Value> described;
  std::string refusal;
  bool has_incomplete = false;
};

Result read(const std::filesystem::path& file, Strictness strictness) {
  Result result;
  try {
    const Wheel wheel = open_wheel(std::make_shared<File>(file), file.filename().native(), strictness);
    result.described = describe(wheel, {});
    for (const Finding& finding : wheel.findings) {
      result.has_incomplete = result.has_incomplete || finding.weight == Weight::incomplete;
    }
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::refused) << error.what();
    result.refusal = error.what();
  }
  return result;
}

std::filesystem::path wheel_in(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".whl") return entry.path();
  }
  throw std::runtime_error("no wheel in " + folder.native());
}

/// Name and mode of each file of ours, without what every installer writes in its own way.
std::map<std::string, std::string> our_files(const Value& described) {
  std::map<std::string, std::string> files;
  for (const Value& file : described.at("files").array()) {
    files.emplace(file.at("path").string(), file.at("mode").string());
  }
  return files;
}

/// The same of pip's tree: {"path": "0644 6 9e26bf369911 ..."}. pip leaves scripts without their executable bit when
/// the wheel does; veneer and uv set it.
std::map<std::string, std::string> pip_files(const Value& tree) {
  std::map<std::string, std::string> files;
  for (const auto& [path, facts] : tree.table()) {
    if (path.ends_with("/REQUESTED") || path.ends_with("/direct_url.json")) continue;
    const bool script = path.starts_with("bin/");
    files.emplace(path, script ? "0755" : facts.string().substr(0, 4));
  }
  return files;
}

/// Size and the start of the SHA-256 must be equal where both install the wheel's own bytes.
void compare_contents(const Value& described, const Value& tree) {
  for (const Value& file : described.at("files").array()) {
    const std::string& path = file.at("path").string();
    if (path.starts_with("bin/") || path.ends_with("/RECORD") || path.ends_with("/INSTALLER")) continue;
    const Value* facts = tree.find(path);
    if (facts == nullptr) continue;
    const std::string ours = fmt::format("{} {}", file.at("size").integer(), file.at("sha256").string().substr(0, 12));
    EXPECT_EQ(facts->string().substr(5, ours.size()), ours) << path;
  }
}

TEST(WheelsConformance, EveryWheelOfTheCorpusHasItsOutcome) {
  VENEER_NEEDS_CORPUS();
  const std::filesystem::path folder = tests::corpus_folder() / "wheels";
  const Value expected = parse_json(tests::read_corpus("wheels/expected.json"));
  std::map<std::string, std::pair<int, int>> counts;  // by outcome: accepted, refused
  int warned = 0;
  int compared = 0;
  for (const auto& [name, facts] : expected.at("cases").table()) {
    SCOPED_TRACE(name + ": " + facts.at("must").string());
    const std::string& outcome = facts.at("outcome").string();
    const Result result = read(wheel_in(folder / name), Strictness::tolerant);
    const bool accepted = result.described.has_value();
    ++(accepted ? counts[outcome].first : counts[outcome].second);
    if (outcome == "accept") {
      EXPECT_TRUE(accepted) << result.refusal;
    }
    if (outcome == "reject") {
      EXPECT_FALSE(accepted);
    }

    if (facts.boolean_or("warn", false)) {
      ++warned;
      EXPECT_TRUE(accepted) << result.refusal;
      if (accepted) {
        EXPECT_FALSE(result.described->at("findings").array().empty());
      }
      const bool strict_refuses = facts.at("must").string().find("refuse with --strict") != std::string::npos;
      EXPECT_EQ(result.has_incomplete, strict_refuses);
      EXPECT_EQ(read(wheel_in(folder / name), Strictness::strict).described.has_value(), !strict_refuses);
    } else if (accepted && outcome == "accept") {
      EXPECT_TRUE(result.described->at("findings").array().empty());
      EXPECT_TRUE(read(wheel_in(folder / name), Strictness::strict).described.has_value());
    }

    const Value* tree = facts.at("pip").find("tree");
    if (accepted && outcome == "accept" && tree != nullptr && tree->is_table()) {
      ++compared;
      EXPECT_EQ(our_files(*result.described), pip_files(*tree));
      compare_contents(*result.described, *tree);
    }
  }
  std::printf("outcome   accepted  refused\n");
  int total = 0;
  for (const auto& [outcome, count] : counts) {
    std::printf("%-8s  %8d  %7d\n", outcome.c_str(), count.first, count.second);
    total += count.first + count.second;
  }
  std::printf("%d wheels, %d with findings, %d compared with pip's tree\n", total, warned, compared);
  EXPECT_GE(total, 65);
  EXPECT_FALSE(std::filesystem::exists("/tmp/veneer-sentinel"));
  EXPECT_FALSE(std::filesystem::exists("/tmp/evil"));
  EXPECT_FALSE(std::filesystem::exists("/tmp/evil.py"));
}

/// What each wheel is refused for, by a part of the sentence; a refusal for another reason would hide a gap.
TEST(WheelsConformance, RefusalsAreForTheRightReason) {
  VENEER_NEEDS_CORPUS();
  const std::map<std::string, std::string> reasons = {
      {"absolute_member", "its name is absolute"},
      {"data_scripts_subdir", "scripts may not lie in folders"},
      {"data_traversal", "it leads out of its folder"},
      {"data_unknown_key", "evil is no installation scheme"},
      {"dist_info_wrong_name", "does not fit the name"},
      {"dotdot_member", "it leads out of its folder"},
      {"dotdot_middle", "it leads out of its folder"},
      {"duplicate_member", "twice with different contents"},
      {"entry_point_absolute", "it holds a slash"},
      {"entry_point_no_attr", "not of the form module:attribute"},
      {"entry_point_traversal", "it holds a slash"},
      {"fifo_member", "no regular file"},
      {"file_and_dir_same_name", "a file and a folder"},
      {"metadata_missing", "METADATA is missing"},
      {"metadata_name_differs", "METADATA has the name other"},
      {"metadata_version_differs", "METADATA has the version 9.9"},
      {"record_missing", "RECORD is missing"},
      {"record_two_columns", "2 fields instead of three"},
      {"record_wrong_hash", "the sha256 of pkg/__init__.py"},
      {"record_wrong_size", "the size 999, it has 6 bytes"},
      {"wheel_version_major_newer", "Wheel-Version 2.0 is not supported"},
      {"wheel_version_missing", "WHEEL has no Wheel-Version"},
  };
  for (const auto& [name, reason] : reasons) {
    const Result result = read(wheel_in(tests::corpus_folder() / "wheels" / name), Strictness::tolerant);
    EXPECT_NE(result.refusal.find(reason), std::string::npos) << name << ": " << result.refusal;
  }
}

}  // namespace
}  // namespace veneer::python
