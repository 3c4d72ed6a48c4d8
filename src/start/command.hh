// A command that the owners wrote for another tool, as this image can run it: what only starts a tool that is not in it
// (uv run, poetry run, a virtual environment's path) goes, and everything it names must be there. Pure; thread-safe.
#pragma once

#include <compare>
#include <string>
#include <vector>

#include "owners/evaluate.hh"
#include "start/inputs.hh"

namespace veneer::start {

/// Where things of the project lie in the image.
struct Places {
  std::string workdir = "/app";
  std::vector<python::FileRule> files;             // `from` "." is the project's folder
  std::map<std::string, std::string> environment;  // that the program gets
  /// The image's path, absolute, of one that may be relative to `workdir`.
  std::string at(const std::string& path) const;
  /// The project's path of what lies at the image's path (relative to `workdir`), be it a file or a folder that
  /// `inputs` has; nothing when no rule brings it.
  std::optional<std::string> in_project(const Inputs& inputs, const std::string& path) const;
  /// The image's path of a program that is named without a folder, where a rule brings that as a file of the project:
  /// in a folder of `path` ("/usr/local/bin:/usr/bin").
  std::optional<std::string> on_path(const Inputs& inputs, std::string_view program, std::string_view path) const;
  /// The project's path of the module ("shop.web"), or of its package's folder, where the image's folder is searched.
  std::optional<std::string> module_in(const Inputs& inputs, const std::string& folder, std::string_view module) const;
};

/// Rules whose `to` is relative, at `workdir`.
std::vector<python::FileRule> at_workdir(std::vector<python::FileRule> rules, const std::string& workdir);

/// Of a command, that its image does not do.
struct LeftOut {
  std::string what;  // "uv run --env-file prod.env"
  std::string why;   // "give the container its variables"

  auto operator<=>(const LeftOut&) const = default;
};

struct Judged {
  std::vector<std::string> words;  // to be run; empty when there is trouble
  std::string trouble;             // why it cannot: "curl is not in the image"
  std::size_t head = 0;            // so many of the words are a script that runs the others; 0: it is no such
  std::string script;              // the project's file that it runs as a program: it must be executable
  std::vector<LeftOut> left_out;   // what it was given and does not get, each once
};

/// `invocation` of an exec or shell form.
Judged judge(const Inputs& inputs, const Places& places, const owners::Invocation& invocation);

/// A server that is not told where to listen listens on loopback: the sentence that says so, or "".
std::string loopback_note(const Inputs& inputs, const std::vector<std::string>& words, const Places& places);

}  // namespace veneer::start
