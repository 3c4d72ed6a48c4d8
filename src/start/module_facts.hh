// What the Python files of a project define and call, as python_facts.py says it. Values and pure look-ups;
// thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace veneer::start {

/// "app = FastAPI()" at the level of the module.
struct ModuleObject {
  std::string name;
  std::size_t line = 0;
  std::string call;         // what is called, in full: "fastapi.FastAPI"; empty for another name's value
  std::string is;           // that other name: "app.server"
  bool is_guarded = false;  // only when the module is the program
  std::set<std::string> keywords;
};

struct Decorator {
  std::string call;  // "click.group", "app.command"
  std::string name;  // its first argument, where that is text
  std::map<std::string, std::string> keywords;
};

struct ModuleFunction {
  std::string name;
  std::size_t line = 0;
  std::size_t required = 0;  // arguments without a default
  std::string makes;         // what is called for the value it returns, or its annotation: "fastapi.FastAPI"
  std::vector<Decorator> decorators;
  bool loops = false;  // has a "while True"
};

/// A call that tells what a program does: uvicorn.run, parser.add_subparsers and their like.
struct ModuleCall {
  std::string call;
  std::size_t line = 0;
  std::string where;    // "module", "guard", or the function
  std::string reached;  // from where it is reached: "module", "guard", or ""
  std::vector<std::string> arguments;
  std::map<std::string, std::string> keywords;

  std::string_view last() const;  // "run" of "uvicorn.run"
};

struct ModuleFacts {
  std::string path;   // relative to the project
  std::string error;  // it cannot be parsed: why; all else is empty
  std::set<std::string> imports;
  std::map<std::string, std::string> names;  // local name to what was imported
  std::vector<ModuleObject> objects;
  std::vector<ModuleFunction> functions;
  std::vector<ModuleCall> calls;
  std::map<std::string, std::set<std::string>> edges;  // function, "module" or "guard" to what it calls
  std::map<std::string, std::string> strings;
  std::set<std::string> variables;  // of the environment, that it cannot do without
  std::size_t guard = 0;            // line of `if __name__ == "__main__"`; 0: none
  bool is_stub = false;             // what `uv init` writes

  const ModuleFunction* function(std::string_view name) const;
  const ModuleObject* object(std::string_view name) const;
  bool imports_package(std::string_view package) const;
};

/// Every line of `text` is a file. Throws Error (refused) for anything else.
std::vector<ModuleFacts> module_facts_from_text(std::string_view text);

/// The program that makes that text: python_facts.py.
std::string_view python_facts_program();

}  // namespace veneer::start
