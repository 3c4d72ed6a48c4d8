// What the rules of the start command look at. Filled in by the caller from a project, its lock and its base; in tests
// from a table. The functions are called by one thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "python/project/project.hh"
#include "start/module_facts.hh"

namespace veneer::start {

struct Inputs {
  python::Project project;

  /// The application's files relative to the project's folder, sorted.
  std::vector<std::string> files;
  /// Those that .dockerignore leaves out, sorted: a Dockerfile may be among them.
  std::vector<std::string> left_out;
  /// The text of one, or of another file of the folder ("Dockerfile"); nothing when it is absent, or too large to be
  /// what somebody wrote.
  std::function<std::optional<std::string>(const std::string&)> read;
  std::function<bool(const std::string&)> is_executable;

  /// The project's folder as the root of its workspace sees it, "apps/web"; empty: it is that root, or alone.
  std::string member;
  /// The text of a file of the workspace's root, as `read` has it; never called without `member`.
  std::function<std::optional<std::string>(const std::string&)> read_above;

  std::string python;  // the image's, "3.13"; empty: not known
  /// Names of the distributions that the lock installs, without the project's own; normalised.
  std::set<std::string> distributions;
  /// Whether a program, by name in PATH or by its absolute path, is in the base or comes with one of the distributions.
  std::function<bool(const std::string&)> has_program;
  /// The facts of these Python files, in any order. Nothing when no interpreter is there to read them.
  std::function<std::optional<std::vector<ModuleFacts>>(const std::vector<std::string>&)> parse;

  bool has_file(const std::string& name) const;
  /// A file lies in this folder.
  bool has_folder(const std::string& name) const;
};

/// A sentence that the user should see.
using Notes = std::vector<std::string>;

}  // namespace veneer::start
