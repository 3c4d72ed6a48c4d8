// What the commands of a Dockerfile install beside a project's dependencies: extras and groups that `uv sync`, `uv run`
// and `pip install .[extra]` name. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "owners/dockerfile.hh"

namespace veneer::owners {

struct Installed {
  std::vector<Located<std::string>> extras;   // as written, each once
  std::vector<Located<std::string>> groups;   // likewise; without those of --only-group and --no-group
  std::vector<Located<std::string>> members;  // of --package
  bool all_extras = false;
  std::size_t line = 0;                      // of --all-extras
  std::vector<Located<std::string>> unread;  // options whose value is a variable: "--extra $KIND"
};

/// Of the stage `target` ("": the last one), those that it stands on, and those that it copies from. Of several `uv
/// sync` the last one counts. Throws Error: not_found when there is no such stage.
Installed installed_of(const Dockerfile& file, std::string_view target = {});

}  // namespace veneer::owners
