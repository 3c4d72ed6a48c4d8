#include "python/project/program_text.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/text.hh"

namespace veneer::python {

namespace {

/// "3.12.7", "3.13.0rc1", "3.14.0a2+".
bool is_version(std::string_view text, std::string_view start) {
  std::string_view rest = text.substr(start.size());
  std::size_t digits = 0;
  while (digits < rest.size() && is_digit(rest[digits])) ++digits;
  if (digits == 0 || digits > 3) return false;
  rest.remove_prefix(digits);
  for (const std::string_view stage : {"rc", "a", "b"}) {
    if (!rest.starts_with(stage)) continue;
    rest.remove_prefix(stage.size());
    digits = 0;
    while (digits < rest.size() && is_digit(rest[digits])) ++digits;
    if (digits == 0 || digits > 3) return false;
    rest.remove_prefix(digits);
    break;
  }
  return rest.empty() || rest == "+";
}

}  // namespace

std::optional<bool> uses_musl(std::string_view file) {
  // The loader's path stands near the start, right behind the program headers.
  const std::string_view start = file.substr(0, 64 * 1024);
  if (start.find("/ld-musl-") != std::string_view::npos) return true;
  for (const std::string_view loader : {"/ld-linux", "/ld64.so", "/ld.so.1"}) {
    if (start.find(loader) != std::string_view::npos) return false;
  }
  return std::nullopt;
}

std::optional<std::string> find_text(std::string_view file, std::string_view start,
                                     const std::function<bool(std::string_view)>& accept) {
  for (std::size_t at = file.find(start); at != std::string_view::npos; at = file.find(start, at + 1)) {
    if (at > 0 && file[at - 1] != '\0') continue;
    const std::size_t end = file.find('\0', at);
    if (end == std::string_view::npos) break;
    const std::string_view text = file.substr(at, end - at);
    if (text.size() < 1000 && accept(text)) return std::string(text);
  }
  return std::nullopt;
}

std::optional<std::string> find_python_version(std::string_view file, int minor) {
  const std::string start = fmt::format("3.{}.", minor);
  return find_text(file, start, [&](std::string_view text) { return is_version(text, start); });
}

std::optional<std::string> find_python_version_at_end(std::string_view file, int minor) {
  const std::string start = fmt::format("3.{}.", minor);
  std::optional<std::string> found;
  for (std::size_t at = file.find(start); at != std::string_view::npos; at = file.find(start, at + 1)) {
    if (at > 0 && (is_digit(file[at - 1]) || file[at - 1] == '.')) continue;
    const std::string_view text = file.substr(at, file.substr(at, 32).find('\0'));
    if (!is_version(text, start)) continue;
    if (found && *found != text) return std::nullopt;
    found = text;
  }
  return found;
}

std::optional<std::string> version_in_patchlevel(std::string_view header, int minor) {
  constexpr std::string_view mark = "#define PY_VERSION ";
  const std::size_t at = header.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view line = header.substr(at, header.find('\n', at) - at);
  const std::size_t open = line.find('"');
  const std::size_t close = open == std::string_view::npos ? open : line.find('"', open + 1);
  if (close == std::string_view::npos) return std::nullopt;
  const std::string_view version = line.substr(open + 1, close - open - 1);
  return is_full_version(version, minor) ? std::optional(std::string(version)) : std::nullopt;
}

bool is_full_version(std::string_view text, int minor) {
  const std::string start = fmt::format("3.{}.", minor);
  return text.starts_with(start) && is_version(text, start);
}

}  // namespace veneer::python
