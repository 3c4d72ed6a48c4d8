// A document read from JSON or TOML: a tree of values that says where in the document it is wrong. Values; reading
// from several threads at once is fine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace veneer {

/// Null, boolean, 64-bit integer, real, string, array, or table (keys in the document's order, never twice the same).
/// TOML's dates and times are strings in RFC 3339 form.
class Value {
 public:
  using Array = std::vector<Value>;
  using Table = std::vector<std::pair<std::string, Value>>;

  Value() = default;
  Value(bool value) : data_(value) {}
  Value(std::int64_t value) : data_(value) {}
  Value(int value) : data_(std::int64_t{value}) {}
  /// Throws Error (refused) above 2^63 - 1.
  Value(std::uint64_t value);
  Value(double value) : data_(value) {}
  Value(std::string value) : data_(std::move(value)) {}
  Value(std::string_view value) : data_(std::string(value)) {}
  Value(const char* value) : data_(std::string(value)) {}
  Value(Array value) : data_(std::move(value)) {}
  Value(Table value) : data_(std::move(value)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  bool is_boolean() const { return std::holds_alternative<bool>(data_); }
  bool is_integer() const { return std::holds_alternative<std::int64_t>(data_); }
  bool is_real() const { return std::holds_alternative<double>(data_); }
  bool is_string() const { return std::holds_alternative<std::string>(data_); }
  bool is_array() const { return std::holds_alternative<Array>(data_); }
  bool is_table() const { return std::holds_alternative<Table>(data_); }

  // Throw Error (refused) "expected a string, found an array" when the value is something else.
  bool boolean() const;
  std::int64_t integer() const;
  double real() const;
  const std::string& string() const;
  const Array& array() const;
  const Table& table() const;
  Array& array();
  Table& table();

  /// The member `key` of a table, or nullptr when the table lacks it. Throws when this is no table.
  const Value* find(std::string_view key) const;
  /// The member `key` of a table; an Error that names the missing key.
  const Value& at(std::string_view key) const;
  /// Sets a member of a table (null becomes an empty table first).
  void set(std::string_view key, Value value);

  // Members with a default for absence. A member of the wrong type is an Error that names the key.
  std::string string_or(std::string_view key, std::string_view fallback) const;
  bool boolean_or(std::string_view key, bool fallback) const;
  /// Empty when absent.
  std::vector<std::string> strings_or_empty(std::string_view key) const;
  /// The array `key`, or an empty one when absent.
  const Array& array_or_empty(std::string_view key) const;
  /// The table `key`, or an empty one when absent.
  const Value& table_or_empty(std::string_view key) const;

  bool operator==(const Value&) const = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Table> data_;
};

}  // namespace veneer
