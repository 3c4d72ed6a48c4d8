// What is started of small projects, one a rule and a trap: tests/conformance/projects/NAME.txt holds what is expected
// and the project's files. Nothing is built; Python files are parsed by the interpreter of this machine.
//
//   lock: fastapi uvicorn            the distributions that the lock installs
//   starts: uvicorn main:app ...     or  stops: python main.py | python bot.py   (the candidates)
//   answers: 8000                    what it starts serves HTTP there: starts_test.py builds and asks it
//   dockerfiles: a | b               those of equal rank, with which it stops
//   note: loopback                   something that is said
//   silent: DJANGO_SETTINGS          nothing that is said has it
//   takes: WORKDIR /app | USER 5     all that is taken of the Dockerfile (in tests/conformance/dockerfiles)
//   leaves: HEALTHCHECK, curl is ... one thing that is not, and why
//   ignores: ../../.dockerignore     the file that says what a build leaves out
//   python: 3.13                     that the image has
//   member: apps/web                 where the project lies in its workspace; "--- ../../Dockerfile" is of the root
//   --- main.py                      a file; "--- run.sh +x" is executable
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/text.hh"
#include "owners/shell.hh"
#include "start/read_python.hh"
#include "start/rules.hh"
#include "tests/support/places.hh"

namespace veneer::start {
namespace {

namespace fs = std::filesystem;

struct Expected {
  std::string starts;
  std::vector<std::string> stops;
  bool is_stop = false;
  std::vector<std::string> dockerfiles;
  std::vector<std::string> notes;
  std::vector<std::string> silent;
  std::vector<std::string> takes;
  std::vector<std::string> leaves;
  std::string ignores;
};

struct ProjectCase {
  Inputs inputs;
  Expected expected;
  std::map<std::string, std::string> texts;
  std::set<std::string> executable;
};

void put_line(ProjectCase& project, std::string_view line) {
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string_view key = line.substr(0, colon);
  const std::string value(trimmed(line.substr(std::min(colon + 1, line.size()))));
  if (key == "lock") {
    for (const std::string& name : split_words(value, " ")) project.inputs.distributions.insert(name);
  } else if (key == "starts") {
    project.expected.starts = value;
  } else if (key == "stops") {
    project.expected.is_stop = true;
    for (const std::string& words : split_fields(value, '|')) {
      if (!trimmed(words).empty()) project.expected.stops.emplace_back(trimmed(words));
    }
  } else if (key == "dockerfiles") {
    project.expected.is_stop = true;
    for (const std::string& name : split_fields(value, '|')) project.expected.dockerfiles.emplace_back(trimmed(name));
  } else if (key == "member") {
    project.inputs.member = value;
  } else if (key == "python") {
    project.inputs.python = value;
  } else if (key == "silent") {
    project.expected.silent.push_back(value);
  } else if (key == "takes") {
    for (const std::string& item : split_fields(value, '|')) {
      if (!trimmed(item).empty()) project.expected.takes.emplace_back(trimmed(item));
    }
  } else if (key == "leaves") {
    project.expected.leaves.push_back(value);
  } else if (key == "ignores") {
    project.expected.ignores = value;
  } else if (key == "note") {
    project.expected.notes.push_back(value);
  }
}

std::vector<python::FileRule> own_files(const ProjectCase& project) {
  std::vector<python::FileRule> rules;
  if (project.inputs.project.is_package) return rules;
  std::set<std::string> names;
  for (const std::string& file : project.inputs.files) names.insert(file.substr(0, file.find('/')));
  for (const std::string& name : names) rules.push_back({name, name, std::nullopt});
  return rules;
}

ProjectCase read_case(const fs::path& path) {
  ProjectCase project;
  std::string name;
  for (const std::string& line : split_fields(read_text_file(path, 1 << 20), '\n')) {
    if (line.starts_with("--- ")) {
      const std::vector<std::string> words = split_words(line, " ");
      name = words.at(1);
      project.texts[name];
      if (words.size() > 2) project.executable.insert(name);
    } else if (name.empty()) {
      put_line(project, line);
    } else {
      project.texts[name] += line + "\n";
    }
  }
  if (!project.texts.contains("pyproject.toml"))
    project.texts["pyproject.toml"] = "[project]\nname = \"shop\"\nversion = \"1\"\n";
  Inputs& inputs = project.inputs;
  inputs.project = python::parse_project(project.texts["pyproject.toml"], "/project");
  if (inputs.project.dependencies.empty())
    inputs.project.dependencies.assign(inputs.distributions.begin(), inputs.distributions.end());
  for (const auto& [file, text] : project.texts) {
    if (!file.starts_with("../")) inputs.files.push_back(file);
  }
  return project;
}

Decision decide_case(ProjectCase& project) {
  Inputs& inputs = project.inputs;
  inputs.read = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = project.texts.find(name);
    return found == project.texts.end() ? std::nullopt : std::optional(found->second);
  };
  inputs.read_above = [&](const std::string& name) {
    std::string up;
    for (const std::string& part : split_fields(inputs.member, '/')) up += part.empty() ? "" : "../";
    return inputs.read(up + name);
  };
  inputs.is_executable = [&](const std::string& name) { return project.executable.contains(name); };
  inputs.has_program = [&](const std::string& name) {
    static const std::set<std::string> of_base = {"/bin/sh", "sh",           "bash",  "/bin/bash", "python",
                                                  "python3", "sleep",        "mkdir", "cat",       "date",
                                                  "env",     "/usr/bin/env", "rm",    "ls"};
    static const std::map<std::string, std::string> of_others = {
        {"waitress-serve", "waitress"}, {"fastapi", "fastapi-cli"}, {"django-admin", "django"}};
    const auto other = of_others.find(name);
    return of_base.contains(name) || inputs.distributions.contains(other == of_others.end() ? name : other->second);
  };
  inputs.parse = [&](const std::vector<std::string>& paths) -> std::optional<std::vector<ModuleFacts>> {
    std::vector<PythonSource> sources;
    for (const std::string& path : paths) sources.push_back({path, project.texts.at(path)});
    const auto text = python_facts_text({"python3"}, 9, sources);
    return text ? std::optional(module_facts_from_text(*text)) : std::nullopt;
  };
  return decide(inputs, own_files(project));
}

/// Of those that could say what is left out the one that is there; call decide_case() before.
std::string ignore_file(const ProjectCase& project) {
  for (const std::string& name : ignore_files_of(project.inputs).names) {
    if (project.texts.contains(name)) return name;
  }
  return "";
}

std::string all_notes(const Decision& decision) {
  std::string text;
  for (const std::string& note : decision.notes) text += note + "\n";
  for (const TakenItem& item : decision.taken.left)
    text += fmt::format("{}: {} is not taken: {}\n", item.place, item.what, item.why);
  for (const auto& [name, value] : decision.environment) text += fmt::format("{}={}\n", name, value);
  return text;
}

std::vector<fs::path> cases_in(const char* folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(tests::source_folder() / "tests/conformance" / folder)) {
    if (entry.path().extension() == ".txt") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

TEST(Dockerfiles, AreTakenAsFarAsTheyFit) {
  const std::vector<fs::path> paths = cases_in("dockerfiles");
  ASSERT_EQ(paths.size(), 25U);
  for (const fs::path& path : paths) {
    SCOPED_TRACE(path.stem().native());
    ProjectCase project = read_case(path);
    const Decision decision = decide_case(project);
    const std::string words = decision.start ? owners::shell_line(decision.start->words()) : "";
    std::vector<std::string> takes;
    std::vector<std::string> leaves;
    for (const TakenItem& item : decision.taken.taken) takes.push_back(item.what);
    for (const TakenItem& item : decision.taken.left) leaves.push_back(item.what + ", " + item.why);
    EXPECT_THAT(takes, testing::UnorderedElementsAreArray(project.expected.takes));
    EXPECT_THAT(leaves, testing::UnorderedElementsAreArray(project.expected.leaves));
    EXPECT_EQ(words, project.expected.starts) << all_notes(decision);
    std::cout << fmt::format("{}\n  starts: {}\n  takes: {}\n", path.stem().native(), words, fmt::join(takes, " | "));
    for (const std::string& item : leaves) std::cout << "  leaves: " << item << "\n";
  }
}

TEST(Projects, StartWhatTheyMeanOrStop) {
  const std::vector<fs::path> paths = cases_in("projects");
  ASSERT_GE(paths.size(), 30U);
  std::size_t right = 0;
  std::size_t stopped = 0;
  std::size_t wrong = 0;
  for (const fs::path& path : paths) {
    SCOPED_TRACE(path.stem().native());
    ProjectCase project = read_case(path);
    const Decision decision = decide_case(project);
    const std::string words = decision.start ? owners::shell_line(decision.start->words()) : "";
    const std::string rule =
        decision.start ? fmt::format("{}  ({}, {})", words, decision.start->rule, decision.start->place) : "stops";
    const Expected& expected = project.expected;
    std::vector<std::string> candidates;
    for (const Candidate& candidate : decision.candidates) candidates.push_back(owners::shell_line(candidate.words));
    std::vector<std::string> dockerfiles;
    for (const EqualDockerfile& one : decision.dockerfiles) dockerfiles.push_back(one.name);
    EXPECT_THAT(dockerfiles, testing::ElementsAreArray(expected.dockerfiles));
    EXPECT_EQ(ignore_file(project), expected.ignores);
    if (expected.is_stop && !decision.start) {
      EXPECT_THAT(candidates, testing::UnorderedElementsAreArray(expected.stops)) << all_notes(decision);
      ++stopped;
    } else if (words == expected.starts && !expected.is_stop) {
      ++right;
    } else {
      ++wrong;
      ADD_FAILURE() << "it is " << rule << "\nnot  " << expected.starts << "\n"
                    << all_notes(decision) << "candidates: " << testing::PrintToString(candidates);
    }
    for (const std::string& text : expected.silent)
      EXPECT_THAT(all_notes(decision), testing::Not(testing::HasSubstr(text)));
    for (const std::string& note : expected.notes) EXPECT_THAT(all_notes(decision), testing::HasSubstr(note));
    std::cout << fmt::format("{:28} {}\n", path.stem().native(), rule);
  }
  std::cout << fmt::format("\n{} projects: {} right, {} stopped, {} wrong\n", paths.size(), right, stopped, wrong);
}

}  // namespace
}  // namespace veneer::start
