// What the commands of a Dockerfile install beside a project's dependencies: extras and groups that `uv sync`, `uv run`
// and `pip install .[extra]` name. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "owners/dockerfile.hh"

namespace veneer::owners {

struct Installed {
  std::vector<Located<std::string>> extras;   // as written, each once
  std::vector<Located<std::string>> groups;   // likewise; also those of --only-group
  std::vector<Located<std::string>> members;  // of --package
  std::optional<std::size_t> all_extras;      // the line of --all-extras
  std::optional<std::size_t> all_groups;
  std::optional<std::size_t> default_groups;  // the line of the command that brings what [tool.uv] says
  std::optional<std::size_t> alone;           // of --only-group and --only-dev, which leave out the project
  std::vector<std::string> no_extras;         // as written: not even with --all-extras
  std::vector<std::string> no_groups;         // not even as a default
  std::vector<Located<std::string>> unread;   // options whose value is a variable: "--extra $KIND"
};

/// Of the stage `target` ("": the last one), those that it stands on, and those that it copies from. Of several `uv
/// sync` the last one counts; what `uv run` names is added to it. Throws Error: not_found when there is no such stage.
Installed installed_of(const Dockerfile& file, std::string_view target = {});

}  // namespace veneer::owners
