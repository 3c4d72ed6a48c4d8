// Whether a script of the project can run without more words: a program of subcommands or with arguments that it wants
// cannot. Pure; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "start/code.hh"

namespace veneer::start {

struct ScriptFacts {
  bool runs = true;                // with `words` behind its name
  std::vector<std::string> words;  // "serve", where it has such a command and wants one
  std::string why;                 // it does not run: "its commands are load, dump"
  std::string place;               // of its target, "src/shop/cli.py:12"; empty when it is not found
  const ModuleFacts* module = nullptr;
  bool is_stub = false;  // what `uv init` wrote
};

/// `target` is "shop.cli:main".
ScriptFacts script_facts(const Code& code, const std::string& target);

/// The same of a file that is run as a program.
ScriptFacts program_facts(const Code& code, const ModuleFacts& module);

}  // namespace veneer::start
