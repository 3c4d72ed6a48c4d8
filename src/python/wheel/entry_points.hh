// entry_points.txt: which commands a distribution offers (entry points specification of packaging.python.org), and the
// small programs that start them. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace veneer::python {

struct EntryPoint {
  std::string name;       // of the command
  std::string module;     // "pkg.cli"
  std::string attribute;  // "App.run"

  bool operator==(const EntryPoint&) const = default;
};

/// The commands of the groups console_scripts and gui_scripts, sorted by name. A name that occurs twice means its last
/// occurrence, gui_scripts after console_scripts, as uv has it. Extras are passed over. '#' and ';' begin comments;
/// names keep their case. Other groups may hold anything. Refused with an Error: a section without its bracket, and in
/// the two groups a line without '=', an empty name, a name that is no plain file name, a value that is not
/// "module:attribute".
std::vector<EntryPoint> parse_entry_points(std::string_view text);

/// The program at bin/<name>, byte for byte as uv 0.12 writes it, for the interpreter at `interpreter`.
std::string launcher(const EntryPoint& entry_point, std::string_view interpreter);

/// The first line (three lines for paths that the kernel cannot take in one: over 127 bytes with "#!" and line end, or
/// with white space) that starts a script with `interpreter`; it ends with a line break.
std::string interpreter_line(std::string_view interpreter);

/// Whether a script's data begins with a line that an installer must rewrite: "#!python".
bool has_placeholder_line(std::string_view data);

/// `script` with its placeholder line replaced, whatever stands behind "#!python" and however the line ends.
std::string rewrite_placeholder_line(std::string_view script, std::string_view interpreter);

/// Whether a file of this name in bin/ would stand for an interpreter: python, python3, python3.N, python3.Nt, pythonw,
/// pypy, pypy2, pypy3, graalpy, in any case and with or without ".exe" (the list of uv 0.12).
bool is_interpreter_name(std::string_view name);

}  // namespace veneer::python
