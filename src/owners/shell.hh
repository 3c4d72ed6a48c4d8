// Shell text as words and simple commands (POSIX.1-2017, Shell Command Language 2.2 to 2.10.2): enough to see which
// programs a line runs and with which words. Nothing is expanded or run. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace veneer::owners {

struct ShellWord {
  std::string text;      // quotes and escapes removed; what the shell would replace stays as written: "${PORT:-80}"
  std::string raw;       // as written
  bool is_plain = true;  // has nothing that the shell would replace
  std::size_t line = 1;  // of its first character
};

/// A simple command: its variables, its words, and the operator that ends it.
struct ShellCommand {
  std::vector<ShellWord> assignments;  // "A=b" before the program
  std::vector<ShellWord> words;        // redirections are not among them
  std::string end;                     // "&&", "||", ";", "|", "&", "(", ")", or "" at the end of the text
  bool has_redirection = false;
  std::string raw;  // as written, without the operator
};

struct ShellScript {
  std::vector<ShellCommand> commands;  // none is without words and assignments
  bool has_structure = false;          // if, for, case, functions, groups: what runs depends on more than the order
};

/// Throws Error (refused) for a quote or bracket that is not closed, and for more than 10000 words.
ShellScript read_shell(std::string_view text);

/// `word`, quoted where a shell would read it as something else.
std::string shell_quoted(std::string_view word);

/// Words as one would type them: quoted where needed, joined by blanks.
std::string shell_line(const std::vector<std::string>& words);

}  // namespace veneer::owners
