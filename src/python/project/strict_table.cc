#include "python/project/strict_table.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "foundation/error.hh"

namespace veneer::python {

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

StrictTable::StrictTable(const Value& value, std::string place, std::initializer_list<std::string_view> known)
    : value_(value), place_(std::move(place)) {
  if (!value.is_table()) throw Error(ErrorKind::refused, place_ + " must be a table");
  for (const auto& [key, ignored] : value.table()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    std::string hint = fmt::format("known are: {}", fmt::join(known, ", "));
    for (const std::string_view candidate : known) {
      if (key.size() < 40 && edit_distance(key, candidate) <= 2) {
        hint = fmt::format("did you mean \"{}\"? {}", candidate, hint);
        break;
      }
    }
    throw Error(ErrorKind::refused, fmt::format("{} has an unknown key \"{}\"", place_, printable(key)), hint);
  }
}

void StrictTable::refuse(std::string_view key, std::string_view message, const std::string& hint) const {
  throw Error(ErrorKind::refused, fmt::format("{} {}: {}", place_, key, message), hint);
}

std::string StrictTable::text(std::string_view key) const {
  const Value* value = value_.find(key);
  if (value == nullptr) return {};
  if (!value->is_string()) refuse(key, "expected a string");
  if (value->string().empty()) refuse(key, "must not be empty");
  return value->string();
}

std::vector<std::string> StrictTable::texts(std::string_view key) const {
  const Value* value = value_.find(key);
  if (value == nullptr) return {};
  if (!value->is_array()) refuse(key, "expected an array of strings");
  std::vector<std::string> result;
  for (const Value& item : value->array()) {
    if (!item.is_string()) refuse(key, "expected an array of strings");
    result.push_back(item.string());
  }
  return result;
}

std::map<std::string, std::string> StrictTable::text_map(std::string_view key) const {
  const Value* value = value_.find(key);
  if (value == nullptr) return {};
  if (!value->is_table()) refuse(key, "expected a table of strings");
  std::map<std::string, std::string> result;
  for (const auto& [name, item] : value->table()) {
    if (!item.is_string()) refuse(fmt::format("{}.{}", key, printable(name)), "expected a string");
    result.emplace(name, item.string());
  }
  return result;
}

std::optional<std::size_t> StrictTable::number(std::string_view key, std::size_t least, std::size_t most) const {
  const Value* value = value_.find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_integer() || std::cmp_less(value->integer(), least) || std::cmp_greater(value->integer(), most)) {
    refuse(key, fmt::format("expected a number from {} to {}", least, most));
  }
  return static_cast<std::size_t>(value->integer());
}

void StrictTable::each_table(std::string_view key,
                             const std::function<void(const Value&, const std::string&)>& action) const {
  const Value* value = value_.find(key);
  if (value == nullptr) return;
  if (!value->is_array()) refuse(key, "expected an array of tables");
  std::size_t index = 0;
  for (const Value& item : value->array()) action(item, fmt::format("{} {}[{}]", place_, key, index++));
}

}  // namespace veneer::python
