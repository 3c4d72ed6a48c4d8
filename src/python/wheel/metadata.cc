#include "python/wheel/metadata.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "foundation/text.hh"

namespace veneer::python {
Headers::Headers(std::string_view text) {
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = text.substr(start, end - start);
    start = end + 1;
    if (line.empty() || line == "\r") break;
    if (line.front() == ' ' || line.front() == '\t') continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    fields_.emplace_back(lower(trimmed(line.substr(0, colon))), trimmed(line.substr(colon + 1)));
  }
}

std::vector<std::string> Headers::all(std::string_view key) const {
  std::vector<std::string> values;
  const std::string wanted = lower(key);
  for (const auto& [name, value] : fields_) {
    if (name == wanted) values.push_back(value);
  }
  return values;
}

std::string Headers::first(std::string_view key, std::string_view file) const {
  std::vector<std::string> values = all(key);
  if (values.empty()) throw Error(ErrorKind::refused, fmt::format("{} has no {}", printable(file), key));
  return std::move(values.front());
}

}  // namespace veneer::python
