#include "python/lock/lock_markers.hh"

#include <fmt/format.h>

#include <charconv>
#include <system_error>

#include "foundation/error.hh"

namespace veneer::python {

namespace {

/// Extras in the markers of a lock are encoded conflict items: a length that does not fit is a forgery or a bug.
void check_encoded(std::string_view text) {
  for (const std::string_view prefix : {"extra-", "group-", "project-"}) {
    if (!text.starts_with(prefix)) continue;
    const std::string_view rest = text.substr(prefix.size());
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), length);
    const std::size_t digits = static_cast<std::size_t>(end - rest.data());
    const bool is_project = prefix == "project-";
    if (error == std::errc() && length > 0 && rest.size() > digits && rest[digits] == '-') {
      const std::string_view names = rest.substr(digits + 1);
      if (is_project ? names.size() == length : names.size() > length + 1 && names[length] == '-') return;
    }
    throw Error(ErrorKind::refused, fmt::format("a marker has the malformed conflict \"{}\"", printable(text)));
  }
}

}  // namespace

Marker LockMarkers::get(const std::string& text) {
  const auto known = known_.find(text);
  if (known != known_.end()) return known->second;
  Marker parsed = Marker::parse(text);
  for (const std::string& extra : parsed.texts_compared_with(MarkerVariable::extra)) check_encoded(extra);
  return known_.emplace(text, std::move(parsed)).first->second;
}

Marker LockMarkers::of(const Value& table) {
  const Value* text = table.find("marker");
  return text == nullptr ? Marker() : get(text->string());
}

std::vector<Marker> LockMarkers::list(const Value& table, std::string_view key) {
  std::vector<Marker> result;
  for (const std::string& text : table.strings_or_empty(key)) result.push_back(get(text));
  return result;
}

}  // namespace veneer::python
