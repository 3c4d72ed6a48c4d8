#include "foundation/value.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "foundation/error.hh"

namespace veneer {

namespace {
constexpr std::array<std::string_view, 7> type_names = {"nothing",  "a boolean", "an integer", "a number",
                                                        "a string", "an array",  "a table"};

template <typename Type, typename Data>
decltype(auto) get(Data& data, std::string_view wanted) {
  auto* value = std::get_if<Type>(&data);
  if (value == nullptr) {
    throw Error(ErrorKind::refused, fmt::format("expected {}, found {}", wanted, type_names.at(data.index())));
  }
  return *value;
}

std::string key_context(std::string_view key) { return fmt::format("key '{}'", printable(key)); }
}  // namespace

Value::Value(std::uint64_t value) : data_(static_cast<std::int64_t>(value)) {
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    throw Error(ErrorKind::refused, fmt::format("the number {} is too large", value));
  }
}

bool Value::boolean() const { return get<bool>(data_, "a boolean"); }
std::int64_t Value::integer() const { return get<std::int64_t>(data_, "an integer"); }
double Value::real() const {
  if (const auto* integer = std::get_if<std::int64_t>(&data_)) return static_cast<double>(*integer);
  return get<double>(data_, "a number");
}
const std::string& Value::string() const { return get<std::string>(data_, "a string"); }
const Value::Array& Value::array() const { return get<Array>(data_, "an array"); }
const Value::Table& Value::table() const { return get<Table>(data_, "a table"); }
Value::Array& Value::array() { return get<Array>(data_, "an array"); }
Value::Table& Value::table() { return get<Table>(data_, "a table"); }

const Value* Value::find(std::string_view key) const {
  for (const auto& [name, value] : table()) {
    if (name == key) return &value;
  }
  return nullptr;
}

const Value& Value::at(std::string_view key) const {
  const Value* value = find(key);
  if (value == nullptr) throw Error(ErrorKind::refused, fmt::format("the key '{}' is missing", printable(key)));
  return *value;
}

void Value::set(std::string_view key, Value value) {
  if (is_null()) data_ = Table{};
  for (auto& [name, old] : table()) {
    if (name == key) {
      old = std::move(value);
      return;
    }
  }
  table().emplace_back(key, std::move(value));
}

std::string Value::string_or(std::string_view key, std::string_view fallback) const {
  const Value* value = find(key);
  if (value == nullptr || value->is_null()) return std::string(fallback);
  return in_context([&] { return key_context(key); }, [&] { return value->string(); });
}

bool Value::boolean_or(std::string_view key, bool fallback) const {
  const Value* value = find(key);
  if (value == nullptr || value->is_null()) return fallback;
  return in_context([&] { return key_context(key); }, [&] { return value->boolean(); });
}

std::vector<std::string> Value::strings_or_empty(std::string_view key) const {
  std::vector<std::string> strings;
  const Value* value = find(key);
  if (value == nullptr || value->is_null()) return strings;
  in_context([&] { return key_context(key); },
             [&] {
               for (const Value& item : value->array()) strings.push_back(item.string());
             });
  return strings;
}

const Value::Array& Value::array_or_empty(std::string_view key) const {
  static const Array empty;
  const Value* value = find(key);
  if (value == nullptr || value->is_null()) return empty;
  return in_context([&] { return key_context(key); }, [&]() -> const Array& { return value->array(); });
}

const Value& Value::table_or_empty(std::string_view key) const {
  static const Value empty{Table{}};
  const Value* value = find(key);
  if (value == nullptr || value->is_null()) return empty;
  in_context([&] { return key_context(key); }, [&] { (void)value->table(); });
  return *value;
}

}  // namespace veneer
