#include "foundation/toml.hh"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "foundation/error.hh"
#include "foundation/toml_depth.hh"

namespace veneer {

namespace {

constexpr std::size_t deepest_toml = 64;

template <typename Type>
Value as_text_value(const toml::value<Type>& value) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << value.get();
  return Value(text.str());
}

Value convert(const toml::node& node, std::size_t depth) {
  if (depth > deepest_toml) {  // headers that lead through arrays of tables
    throw Error(
        ErrorKind::refused,
        fmt::format("line {}: the TOML is nested deeper than {} levels", node.source().begin.line, deepest_toml),
        std::string(toml_depth_hint));
  }
  switch (node.type()) {
    case toml::node_type::table: {
      // toml++ keeps keys sorted; the document's order is the order of their positions.
      std::vector<std::pair<const toml::key*, const toml::node*>> members;
      for (const auto& [key, value] : *node.as_table()) members.emplace_back(&key, &value);
      std::stable_sort(members.begin(), members.end(), [](const auto& left, const auto& right) {
        return left.first->source().begin < right.first->source().begin;
      });
      Value::Table table;
      table.reserve(members.size());
      for (const auto& [key, value] : members) table.emplace_back(key->str(), convert(*value, depth + 1));
      return Value(std::move(table));
    }
    case toml::node_type::array: {
      Value::Array array;
      array.reserve(node.as_array()->size());
      for (const auto& item : *node.as_array()) array.push_back(convert(item, depth + 1));
      return Value(std::move(array));
    }
    case toml::node_type::string: return Value(node.as_string()->get());
    case toml::node_type::integer: return Value(std::int64_t{node.as_integer()->get()});
    case toml::node_type::boolean: return Value(node.as_boolean()->get());
    case toml::node_type::floating_point: {
      const double real = node.as_floating_point()->get();
      if (!std::isfinite(real)) throw Error(ErrorKind::refused, "infinities and NaN are not supported");
      return Value(real);
    }
    case toml::node_type::date: return as_text_value(*node.as_date());
    case toml::node_type::time: return as_text_value(*node.as_time());
    case toml::node_type::date_time: return as_text_value(*node.as_date_time());
    case toml::node_type::none: break;
  }
  throw Error(ErrorKind::refused, "this TOML value is not supported");
}

}  // namespace

Value parse_toml(std::string_view text) {
  check_toml_depth(text, deepest_toml);
  try {
    return convert(toml::parse(text), 0);
  } catch (const toml::parse_error& error) {
    throw Error(ErrorKind::refused, fmt::format("line {}: this is not valid TOML: {}", error.source().begin.line,
                                                printable(error.description())));
  }
}

}  // namespace veneer
