#include "python/project/project_values.hh"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "foundation/error.hh"

namespace veneer::python {

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; });
}

std::string image_path(const StrictTable& table, std::string_view key, const std::string& text) {
  if (text.empty() || text[0] != '/' || has_control(text)) {
    table.refuse(key, fmt::format("\"{}\" is not an absolute path", printable(text)));
  }
  std::string result;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('/', start), text.size());
    const std::string part = text.substr(start, end - start);
    if (part == "." || part == "..") {
      table.refuse(key, fmt::format("\"{}\" has a \"{}\" part", printable(text), part));
    }
    if (!part.empty()) result += "/" + part;
    start = end + 1;
  }
  if (result.empty()) table.refuse(key, "the root folder itself cannot be used here");
  return result;
}

std::string source_path(const StrictTable& table, std::string_view key, const std::string& text) {
  const std::filesystem::path path(text);
  if (text.empty() || path.is_absolute() || has_control(text)) {
    table.refuse(key, fmt::format("\"{}\" is not a path relative to the project", printable(text)));
  }
  const std::filesystem::path cleaned = path.lexically_normal();
  if (!cleaned.empty() && *cleaned.begin() == "..") {
    table.refuse(key, fmt::format("\"{}\" is outside of the project", printable(text)));
  }
  std::string result = cleaned.native();
  while (result.size() > 1 && result.back() == '/') result.pop_back();
  return result;
}

std::map<std::string, std::string> variables(const StrictTable& table, std::string_view key) {
  std::map<std::string, std::string> result = table.text_map(key);
  for (const auto& [name, ignored] : result) {
    if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != std::string::npos)
      table.refuse(key, fmt::format("\"{}\" cannot be the name of a variable", printable(name)));
  }
  return result;
}

}  // namespace veneer::python
