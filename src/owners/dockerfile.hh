// A Dockerfile, read as BuildKit's parser reads it (docs.docker.com/reference/dockerfile): stages with their
// instructions, each with its line. Nothing is replaced or run here; evaluate.hh does the former. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veneer::owners {

/// A value and the line of the file that says it, from 1.
template <typename Type>
struct Located {
  Type value;
  std::size_t line = 0;

  bool operator==(const Located&) const = default;
};

struct HereDocument {
  std::string name;
  std::string text;
  bool is_expanded = true;  // its name is not quoted
};

struct Instruction {
  std::string name;                               // in upper case: "COPY"
  std::size_t line = 0;                           // its first
  std::vector<std::string> flags;                 // as written: "--from=builder"
  std::string text;                               // what follows, its lines joined
  std::optional<std::vector<std::string>> words;  // the exec form, where the instruction knows it and this is one
  std::vector<HereDocument> documents;

  /// The value of --`flag`=, or "" for a flag without; nothing when it is not given.
  std::optional<std::string> flag(std::string_view flag) const;
};

struct Stage {
  std::string image;  // as written, variables and all
  std::string name;   // of "AS name", in lower case; may be empty
  std::size_t line = 0;
  std::vector<Instruction> instructions;  // without FROM
};

struct Dockerfile {
  std::string file;  // as it is called in messages: "Dockerfile"
  char escape = '\\';
  std::vector<Instruction> arguments;  // ARG before the first FROM
  std::vector<Stage> stages;           // at least one

  /// The stage of that name or number ("0"), or the last one for "". nullptr when there is no such.
  const Stage* find(std::string_view target) const;
};

/// Throws Error (refused) that names file and line for what BuildKit refuses too, and for a text beyond 1 MiB.
Dockerfile parse_dockerfile(std::string_view text, std::string file);

}  // namespace veneer::owners
