// What a command is: its description, from which the parser, the help, the manual page and the shell completion are
// made, and how it reads its arguments. Values; used by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace veneer::cli {

class Context;

struct Option {
  std::string names;  // "-o,--output" or "--json"; the long one is its name
  std::string value;  // what its value is called in the help; empty: a flag
  std::string help;
  enum class Repeat { once, many } repeat = Repeat::once;
};

struct Positional {
  std::string name;
  std::string help;
  enum class Need { required, optional, many } need = Need::required;
};

struct Example {
  std::string line;
  std::string what;
};

/// What the user gave.
class Arguments {
 public:
  bool has(std::string_view name) const { return values_.contains(name); }
  /// The last value of an option ("--output") or positional ("IMAGE").
  std::optional<std::string> value(std::string_view name) const;
  std::string value_or(std::string_view name, std::string_view fallback) const;
  std::vector<std::string> values(std::string_view name) const;
  /// A number from 0 to 2^63-1; an Error of kind usage that names the option otherwise.
  std::optional<std::uint64_t> number(std::string_view name) const;
  /// The same, and at most `most`.
  std::optional<std::uint64_t> number(std::string_view name, std::uint64_t least, std::uint64_t most) const;

  void add(std::string name, std::vector<std::string> values);

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

/// What is left to do when all arguments are read: a command's work. Returns the exit code.
using Action = std::function<int(Context&)>;

struct Command {
  std::string name;
  std::string summary;      // one line, lower case
  std::string description;  // paragraphs
  std::vector<Positional> positionals;
  std::vector<Option> options;
  std::vector<Example> examples;
  /// Reads all arguments; touches nothing but files that they name to be read. Throws Error (usage) for all that can be
  /// known to be wrong without looking anywhere else.
  Action (*parse)(const Arguments&) = nullptr;
};

/// All commands, in the order of the help. Each is defined in its own file.
const std::vector<Command>& commands();

/// Options that every command has.
const std::vector<Option>& common_options();

Command base_command();
Command build_command();
Command cache_command();
Command check_command();
Command compare_command();
Command completion_command();
Command deploy_command();
Command help_command();
Command history_command();
Command init_command();
Command inspect_command();
Command packages_command();
Command plan_command();
Command pull_command();
Command push_command();
Command receive_command();
Command replay_command();
Command rollback_command();
Command sbom_command();
Command select_command();
Command ship_command();
Command wheel_command();

}  // namespace veneer::cli
