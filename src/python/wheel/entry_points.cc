#include "python/wheel/entry_points.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "foundation/utf8.hh"
#include "python/wheel/member_path.hh"

namespace veneer::python {
namespace {

/// Letters, digits and underscores of any script: what Python calls \w, dots and dashes allowed.
bool is_dotted_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '.' || c == '-' || static_cast<unsigned char>(c) >= 0x80;
  });
}

EntryPoint read_entry_point(std::string_view name, std::string_view value) {
  check_file_name(name, "command");
  std::string_view reference = value;
  if (reference.ends_with(']')) {
    const std::size_t bracket = reference.find('[');
    if (bracket != std::string_view::npos) reference = trimmed(reference.substr(0, bracket));
  }
  const std::size_t colon = reference.find(':');
  if (colon != std::string_view::npos) {
    const std::string_view module = trimmed(reference.substr(0, colon));
    const std::string_view attribute = trimmed(reference.substr(colon + 1));
    if (is_dotted_name(module) && is_dotted_name(attribute)) {
      return {std::string(name), std::string(module), std::string(attribute)};
    }
  }
  throw Error(ErrorKind::refused, fmt::format("command {} is refused: \"{}\" is not of the form module:attribute",
                                              printable(name), printable(value)));
}

}  // namespace

std::vector<EntryPoint> parse_entry_points(std::string_view text) {
  if (!is_utf8(text)) throw Error(ErrorKind::refused, "entry_points.txt is refused: it is not UTF-8");
  std::map<std::string, EntryPoint, std::less<>> console;
  std::map<std::string, EntryPoint, std::less<>> gui;
  std::map<std::string, EntryPoint, std::less<>>* group = nullptr;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    std::string_view line = text.substr(start, end - start);
    start = end + 1;
    line = trimmed(line.substr(0, line.find_first_of("#;")));
    if (line.empty()) continue;
    if (line.front() == '[') {
      const std::size_t bracket = line.find(']');
      if (bracket == std::string_view::npos) {
        throw Error(ErrorKind::refused,
                    fmt::format("entry_points.txt is refused: {} lacks its closing bracket", printable(line)));
      }
      const std::string_view section = trimmed(line.substr(1, bracket - 1));
      group = section == "console_scripts" ? &console : section == "gui_scripts" ? &gui : nullptr;
      continue;
    }
    if (group == nullptr) continue;
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      throw Error(ErrorKind::refused,
                  fmt::format("entry_points.txt is refused: \"{}\" gives its command no value", printable(line)));
    }
    EntryPoint entry_point = read_entry_point(trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1)));
    std::string name = entry_point.name;
    group->insert_or_assign(std::move(name), std::move(entry_point));
  }
  gui.merge(console);
  std::vector<EntryPoint> result;
  for (auto& [name, entry_point] : gui) result.push_back(std::move(entry_point));
  return result;
}

std::string launcher(const EntryPoint& entry_point, std::string_view interpreter) {
  const std::string_view attribute = entry_point.attribute;
  return fmt::format(
      "{}"
      "# -*- coding: utf-8 -*-\n"
      "import sys\n"
      "from {} import {}\n"
      "if __name__ == \"__main__\":\n"
      "    if sys.argv[0].endswith(\"-script.pyw\"):\n"
      "        sys.argv[0] = sys.argv[0][:-11]\n"
      "    elif sys.argv[0].endswith(\".exe\"):\n"
      "        sys.argv[0] = sys.argv[0][:-4]\n"
      "    sys.exit({}())\n",
      interpreter_line(interpreter), entry_point.module, attribute.substr(0, attribute.find('.')), attribute);
}

std::string interpreter_line(std::string_view interpreter) {
  constexpr std::size_t kernel_limit = 127;  // BINPRM_BUF_SIZE of Linux before 5.1, less the final NUL
  const std::size_t length = std::string_view("#!").size() + interpreter.size() + 1;
  if (length <= kernel_limit && interpreter.find_first_of(" \t") == std::string_view::npos) {
    return fmt::format("#!{}\n", interpreter);
  }
  // To the shell a command that replaces it by the interpreter, to Python a string that spans two lines.
  std::string quoted;
  for (const char c : interpreter) {
    if (c == '\'') {
      quoted += "'\"'\"'";
    } else {
      quoted += c;
    }
  }
  return fmt::format("#!/bin/sh\n'''exec' '{}' \"$0\" \"$@\"\n' '''\n", quoted);
}

bool has_placeholder_line(std::string_view data) { return data.starts_with("#!python"); }

std::string rewrite_placeholder_line(std::string_view script, std::string_view interpreter) {
  std::string_view rest = script.substr(std::min(script.find_first_of("\r\n"), script.size()));
  if (rest.starts_with("\r\n")) {
    rest.remove_prefix(2);
  } else if (!rest.empty()) {
    rest.remove_prefix(1);
  }
  std::string result = interpreter_line(interpreter);
  result += rest;
  return result;
}

bool is_interpreter_name(std::string_view name) {
  std::string plain = lower(name);
  if (plain.ends_with(".exe")) plain.resize(plain.size() - 4);
  for (const std::string_view known : {"python", "pythonw", "python3", "pypy", "pypy2", "pypy3", "graalpy"}) {
    if (plain == known) return true;
  }
  constexpr std::string_view minor_prefix = "python3.";
  if (!plain.starts_with(minor_prefix)) return false;
  std::string_view minor = std::string_view(plain).substr(minor_prefix.size());
  if (minor.ends_with('t')) minor.remove_suffix(1);
  return !minor.empty() && minor.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace veneer::python
