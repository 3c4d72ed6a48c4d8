#include "python/project/python_choice.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "foundation/error.hh"

namespace veneer::python {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

PlacedRequest said(const std::string& text, const std::string& place) { return {parse_python_request(text), place}; }
PlacedRequest in_file(const std::string& text) { return said(text, ".python-version:1"); }

/// A lock in which nothing lacks a wheel.
std::optional<LockedFiles> all_wheels(const Target&) { return LockedFiles{}; }

/// A lock of packages that have wheels for some minors, and a source for all of them.
LockedFilesFor lock_of(std::map<std::string, std::vector<int>> minors) {
  return [=](const Target& target) {
    LockedFiles files;
    for (const auto& [name, with_wheel] : minors) {
      const bool has_wheel = std::find(with_wheel.begin(), with_wheel.end(), target.minor) != with_wheel.end();
      (has_wheel ? files.wheels : files.no_wheel).push_back(name);
    }
    return std::optional(files);
  };
}

PythonQuestion requiring(const std::string& specifiers) {
  PythonQuestion question;
  question.requires_python = specifiers;
  question.machine = "x86_64";
  return question;
}

std::string place_of(const PythonChoice& choice) {
  return std::string(python_source_name(choice.source)) + " " + choice.suite + " " + choice.wanted();
}

std::string refusal(const PythonQuestion& question) {
  try {
    return choose_python(question, all_wheels).text();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    return error.what();
  }
}

TEST(PythonChoice, DebianWhereAReleaseHasItElseUv) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"3.10", "uv trixie 3.10"},       {"3.11", "debian bookworm 3.11"},     {"3.12", "uv trixie 3.12"},
      {"3.13", "debian trixie 3.13"},   {"3.14", "debian forky 3.14"},        {"3.15", "uv trixie 3.15"},
      {"3.12.4", "uv trixie 3.12.4"},   {"3.13.5", "debian trixie 3.13.5"},   {"3.13.9", "uv trixie 3.13.9"},
      {"3.14.7", "uv trixie 3.14.7"},   {"3.15.0rc1", "uv trixie 3.15.0rc1"}, {"3", "debian trixie 3.13"},
      {"<3.12", "debian bookworm 3.11"}};
  for (const auto& [text, place] : cases) {
    PythonQuestion question = requiring("");
    question.version_file = in_file(text);
    const PythonChoice choice = choose_python(question, all_wheels);
    EXPECT_EQ(place_of(choice), place);
    EXPECT_EQ(choice.reason, std::string(".python-version:1 says ") + text);
  }
}

TEST(PythonChoice, OnANamedReleaseOnlyItsOwnIsDebians) {
  PythonQuestion question = requiring("");
  question.suite = "bookworm";
  EXPECT_EQ(place_of(choose_python(question, all_wheels)), "debian bookworm 3.11");
  EXPECT_EQ(choose_python(question, all_wheels).reason, "the base that is named has it");
  question.dockerfile = said("3.12", "Dockerfile:3");
  EXPECT_EQ(place_of(choose_python(question, all_wheels)), "debian bookworm 3.11");
  question.version_file = in_file("3.13");
  EXPECT_EQ(place_of(choose_python(question, all_wheels)), "uv bookworm 3.13");
  question = requiring(">=3.12");
  question.suite = "bookworm";
  EXPECT_EQ(place_of(choose_python(question, all_wheels)), "uv bookworm 3.12");
  question = requiring(">=3.11.4,<3.12");
  question.suite = "bookworm";
  const PythonChoice choice = choose_python(question, all_wheels);
  EXPECT_EQ(place_of(choice), "uv bookworm 3.11");
  EXPECT_EQ(choice.constraints, ">=3.11.4,<3.12");
}

TEST(PythonChoice, TheOrderOfThoseWhoSay) {
  PythonQuestion question = requiring(">=3.10");
  EXPECT_EQ(choose_python(question, all_wheels).text(),
            "Python 3.13, that of debian:trixie: it fits requires-python \">=3.10\"");
  question.dockerfile = said("3.12", "Dockerfile:3");
  EXPECT_EQ(choose_python(question, all_wheels).text(), "Python 3.12, uv's: Dockerfile:3 says so");
  question.version_file = in_file("3.11");
  EXPECT_EQ(choose_python(question, all_wheels).text(),
            "Python 3.11, that of debian:bookworm: .python-version:1 says 3.11");
  question.option = said("3.13", "--python");
  EXPECT_EQ(choose_python(question, all_wheels).text(), "Python 3.13, that of debian:trixie: --python says so");
}

/// All five minors by each way of choosing: what `plan` prints.
TEST(PythonChoice, EachMinorByEachWay) {
  const std::map<int, std::string> from = {{10, "uv's"},
                                           {11, "that of debian:bookworm"},
                                           {12, "uv's"},
                                           {13, "that of debian:trixie"},
                                           {14, "that of debian:forky"}};
  for (const auto& [minor, place] : from) {
    const std::string version = "3." + std::to_string(minor);
    std::map<std::string, std::pair<PythonChoice, std::string>> ways;  // how, and the reason
    const auto ask = [&](const std::string& way, PythonQuestion question, const std::string& reason,
                         const LockedFilesFor& files = all_wheels) {
      ways[way] = {choose_python(question, files), reason};
    };
    PythonQuestion question = requiring(">=3.10");
    question.option = said(version, "--python");
    ask("--python", question, "--python says so");
    question.option.reset();
    question.version_file = in_file(version);
    ask(".python-version", question, ".python-version:1 says " + version);
    question.version_file.reset();
    question.dockerfile = said(version, "Dockerfile:1");
    ask("Dockerfile", question, "Dockerfile:1 says so");
    if (minor < 13) {
      std::vector<int> older;
      for (int i = 10; i <= minor; ++i) older.push_back(i);
      std::string reason;
      for (int i = 13; i > minor; --i)
        reason += fmt::format("{}the lock has no wheel of numpy for 3.{}", reason.empty() ? "" : ", ", i);
      ask("wheels", requiring(">=3.10"), reason, lock_of({{"numpy", older}}));
    }
    const std::string specifiers = "==" + version + ".*";
    ask("requires-python", requiring(specifiers), "it fits requires-python \"" + specifiers + "\"");
    for (const auto& [way, chosen] : ways) {
      EXPECT_EQ(chosen.first.text(), "Python " + version + ", " + place + ": " + chosen.second) << way;
      fmt::print("{:16} {}\n", way, chosen.first.text());
    }
  }
}

TEST(PythonChoice, WhatRequiresPythonForbidsIsAnErrorAndOfADockerfilePassedOver) {
  PythonQuestion question = requiring(">=3.12");
  question.version_file = in_file("3.11");
  EXPECT_THAT(refusal(question), AllOf(HasSubstr(".python-version:1 says Python 3.11"), HasSubstr("\">=3.12\"")));
  question.version_file.reset();
  question.option = said("3.11", "--python");
  EXPECT_THAT(refusal(question), HasSubstr("--python says Python 3.11"));
  question.option.reset();
  question.dockerfile = said("3.10", "Dockerfile:7");
  const PythonChoice choice = choose_python(question, all_wheels);
  EXPECT_EQ(choice.minor, 13);
  EXPECT_THAT(choice.notes, ElementsAre(AllOf(HasSubstr("Dockerfile:7 says Python 3.10"), HasSubstr(">=3.12"))));
  EXPECT_THAT(refusal(requiring(">=4")), HasSubstr("\">=4\""));
}

TEST(PythonChoice, TheNewestAtWhichNothingMustBeBuilt) {
  // Of 2024: no cp313.
  const auto old = lock_of({{"numpy", {10, 11, 12}}, {"rich", {9, 10, 11, 12, 13, 14}}});
  const PythonChoice choice = choose_python(requiring(">=3.9"), old);
  EXPECT_EQ(place_of(choice), "uv trixie 3.12");
  EXPECT_EQ(choice.reason, "the lock has no wheel of numpy for 3.13");
  EXPECT_EQ(choose_python(requiring(">=3.9,<3.12"), old).minor, 11);
  EXPECT_EQ(choose_python(requiring(">=3.13"), old).minor, 13) << "no older one is allowed";
  // What has a source alone must be built in any case; a wheel for 3.9 alone leads nobody there.
  EXPECT_EQ(choose_python(requiring(">=3.9"), lock_of({{"odd", {}}, {"ancient", {8, 9}}})).minor, 13);
  // A range asked for bounds it; a version asked for is taken whatever must be built.
  PythonQuestion question = requiring(">=3.9");
  question.version_file = in_file(">=3.10");
  EXPECT_EQ(choose_python(question, old).minor, 12);
  question.version_file = in_file("3.13");
  EXPECT_EQ(choose_python(question, old).minor, 13);
}

TEST(PythonChoice, TheLockIsAskedOnlyWhenItMayDecide) {
  std::vector<int> asked;
  const LockedFilesFor files = [&](const Target& target) {
    asked.push_back(target.minor);
    EXPECT_EQ(target.machine, "x86_64");
    EXPECT_EQ(target.full_version, "3.13.5");
    EXPECT_EQ(target.libc.minor, 41);
    return std::optional(LockedFiles{});
  };
  choose_python(requiring(">=3.10"), files);
  EXPECT_THAT(asked, ElementsAre(13));
  PythonQuestion question = requiring("");
  question.option = said("3.12", "--python");
  asked.clear();
  choose_python(question, files);
  EXPECT_THAT(asked, IsEmpty());
}

TEST(PythonChoice, APythonThatTheLockDoesNotAllowIsPassedOver) {
  const LockedFilesFor files = [](const Target& target) {
    return target.minor > 11 ? std::nullopt : std::optional(LockedFiles{});
  };
  EXPECT_EQ(place_of(choose_python(requiring(">=3.10"), files)), "debian bookworm 3.11");
}

}  // namespace
}  // namespace veneer::python
