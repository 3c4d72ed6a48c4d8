// Reading a table of options strictly: every key is known, every value has its type, and errors say where. A reader
// belongs to one thread.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/value.hh"

namespace veneer::python {

class StrictTable {
 public:
  /// `place` is how the table is called in errors, "[tool.veneer.image]". Throws Error (refused) when `value` is no
  /// table, or has a key that is not in `known`.
  StrictTable(const Value& value, std::string place, std::initializer_list<std::string_view> known);

  const std::string& place() const { return place_; }
  const Value* find(std::string_view key) const { return value_.find(key); }
  // Empty when absent; Error (refused) that names table and key when it has another type.
  std::string text(std::string_view key) const;
  std::vector<std::string> texts(std::string_view key) const;
  std::map<std::string, std::string> text_map(std::string_view key) const;
  /// From `least` to `most`; Error (refused) for anything else.
  std::optional<std::size_t> number(std::string_view key, std::size_t least, std::size_t most) const;
  /// Tables of an array, each with the name of its place ("files[0]").
  void each_table(std::string_view key, const std::function<void(const Value&, const std::string&)>& action) const;
  /// Error (refused): "[tool.veneer] python: <message>".
  [[noreturn]] void refuse(std::string_view key, std::string_view message, const std::string& hint = {}) const;

 private:
  const Value& value_;
  std::string place_;
};

}  // namespace veneer::python
