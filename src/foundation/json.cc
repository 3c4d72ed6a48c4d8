#include "foundation/json.hh"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "foundation/error.hh"

namespace veneer {

namespace {

constexpr std::size_t deepest_json = 64;

class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return add(Value()); }
  bool boolean(bool value) override { return add(Value(value)); }
  bool number_integer(number_integer_t value) override { return add(Value(std::int64_t{value})); }
  bool number_unsigned(number_unsigned_t value) override { return add(Value(std::uint64_t{value})); }
  bool number_float(number_float_t value, const string_t& text) override {
    if (text.find_first_of(".eE") == string_t::npos) {
      throw Error(ErrorKind::refused, fmt::format("the number {} is too large", printable(text)));
    }
    return add(Value(value));
  }
  bool string(string_t& value) override { return add(Value(std::move(value))); }
  bool binary(binary_t& /*value*/) override { return false; }
  bool start_object(std::size_t /*size*/) override { return open(Value(Value::Table{})); }
  bool key(string_t& key) override {
    if (!open_.back().keys.insert(key).second) {
      throw Error(ErrorKind::refused, fmt::format("the key '{}' occurs twice in one object", printable(key)));
    }
    open_.back().key = std::move(key);
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t /*size*/) override { return open(Value(Value::Array{})); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    throw Error(ErrorKind::refused, fmt::format("this is not valid JSON (at byte {})", position));
  }

  Value take() { return std::move(result_); }

 private:
  struct Open {
    Value value;
    std::string key;
    std::unordered_set<std::string> keys;  // of a table, all so far
  };

  bool add(Value value) {
    if (open_.empty()) {
      result_ = std::move(value);
    } else if (Open& parent = open_.back(); parent.value.is_array()) {
      parent.value.array().push_back(std::move(value));
    } else {
      parent.value.table().emplace_back(std::move(parent.key), std::move(value));
    }
    return true;
  }
  bool open(Value value) {
    if (open_.size() == deepest_json) {
      throw Error(
          ErrorKind::refused, fmt::format("the JSON is nested deeper than {} levels", deepest_json),
          "write it with fewer levels, nothing that veneer reads needs so many; is a bracket before it left open?");
    }
    open_.push_back({std::move(value), {}, {}});
    return true;
  }
  bool close() {
    Value value = std::move(open_.back().value);
    open_.pop_back();
    return add(std::move(value));
  }

  std::vector<Open> open_;
  Value result_;
};

void write_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

class Writer {
 public:
  explicit Writer(int indent) : indent_(indent) {}

  void write(const Value& value, int level) {
    if (value.is_null()) {
      out += "null";
    } else if (value.is_boolean()) {
      out += value.boolean() ? "true" : "false";
    } else if (value.is_integer()) {
      out += fmt::format("{}", value.integer());
    } else if (value.is_real()) {
      if (!std::isfinite(value.real())) throw Error(ErrorKind::failed, "JSON cannot hold this number");
      const std::string text = fmt::format("{}", value.real());
      out += text;
      // "-0" and "1000" would be integers when read again.
      if (text.find_first_of(".e") == std::string::npos) out += ".0";
    } else if (value.is_string()) {
      write_string(out, value.string());
    } else if (value.is_array()) {
      write_items(value.array(), level, '[', ']', [&](const Value& item) { write(item, level + 1); });
    } else {
      write_items(value.table(), level, '{', '}', [&](const auto& member) {
        write_string(out, member.first);
        out += indent_ > 0 ? ": " : ":";
        write(member.second, level + 1);
      });
    }
  }

  std::string out;

 private:
  template <typename Items, typename WriteItem>
  void write_items(const Items& items, int level, char open, char close, const WriteItem& write_item) {
    out += open;
    bool first = true;
    for (const auto& item : items) {
      if (!first) out += ',';
      first = false;
      new_line(level + 1);
      write_item(item);
    }
    if (!first) new_line(level);
    out += close;
  }
  void new_line(int level) {
    if (indent_ > 0) {
      out += '\n';
      out.append(static_cast<std::size_t>(level) * static_cast<std::size_t>(indent_), ' ');
    }
  }

  int indent_;
};

}  // namespace

Value parse_json(std::string_view text) {
  Builder builder;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) {
    throw Error(ErrorKind::refused, "this is not valid JSON");
  }
  return builder.take();
}

std::string to_json(const Value& value) {
  Writer writer(0);
  writer.write(value, 0);
  return std::move(writer.out);
}

std::string to_pretty_json(const Value& value) {
  Writer writer(2);
  writer.write(value, 0);
  return std::move(writer.out) + "\n";
}

}  // namespace veneer
