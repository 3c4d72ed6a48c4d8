// Reading what an engine describes: documents in which any member may be missing, null or something else. Internal to
// rollout. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "foundation/value.hh"

namespace veneer::deliver {

/// A member of what may be no table; nullptr also for null.
inline const Value* member(const Value* table, std::string_view key) {
  const Value* value = table == nullptr || !table->is_table() ? nullptr : table->find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}
inline const Value* member(const Value& table, std::string_view key) { return member(&table, key); }
inline const Value* member(const Value& table, std::string_view key, std::string_view inner) {
  return member(member(table, key), inner);
}

/// Digits of the identifier that engines give as a host name, and as an alias in each network.
inline constexpr std::size_t short_id = 12;

/// "sha256:abc" and "abc" as "abc": engines and their clients write identifiers both ways.
inline std::string without_algorithm(std::string_view id) { return std::string(id.substr(id.find(':') + 1)); }

}  // namespace veneer::deliver
