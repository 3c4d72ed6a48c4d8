#include "setup/settings.hh"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "foundation/toml.hh"

namespace veneer::setup {

namespace {

constexpr std::size_t longest_line = 100;

std::string toml_text(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      result += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string toml_key(std::string_view key) {
  const bool is_bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '-';
  });
  return is_bare ? std::string(key) : toml_text(key);
}

/// On one line.
std::string toml_value(const Value& value) {
  if (value.is_boolean()) return value.boolean() ? "true" : "false";
  if (value.is_integer()) return std::to_string(value.integer());
  if (value.is_string()) return toml_text(value.string());
  std::string text;
  if (value.is_array()) {
    for (const Value& item : value.array()) text += (text.empty() ? "" : ", ") + toml_value(item);
    return "[" + text + "]";
  }
  for (const auto& [key, item] : value.table())
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", toml_key(key), toml_value(item));
  return text.empty() ? "{}" : "{ " + text + " }";
}

/// Whether two documents say the same, in whatever order.
bool is_same(const Value& one, const Value& other) {
  if (one.is_table() && other.is_table()) {
    return one.table().size() == other.table().size() &&
           std::all_of(one.table().begin(), one.table().end(), [&](const auto& member) {
             const Value* there = other.find(member.first);
             return there != nullptr && is_same(member.second, *there);
           });
  }
  if (one.is_array() && other.is_array()) {
    return std::equal(one.array().begin(), one.array().end(), other.array().begin(), other.array().end(), is_same);
  }
  return one == other;
}

/// The table, or nullptr; `document` may have something else there.
const Value* find_table(const Value& document, const std::string& name) {
  const Value* value = &document;
  for (const std::string& part : split_fields(name, '.')) {
    value = value->is_table() ? value->find(part) : nullptr;
    if (value == nullptr) return nullptr;
  }
  return value;
}

/// `value` with the keys in it; nothing where something else than a table lies on the way.
bool set(Value& value, std::vector<std::string> path, const Value& setting) {
  if (!value.is_table() && !value.is_null()) return false;
  const std::string key = path.front();
  path.erase(path.begin());
  if (path.empty()) {
    value.set(key, setting);
    return true;
  }
  const Value* there = value.is_null() ? nullptr : value.find(key);
  Value inner = there == nullptr ? Value(Value::Table{}) : *there;
  if (!set(inner, path, setting)) return false;
  value.set(key, std::move(inner));
  return true;
}

struct Span {
  std::size_t begin;
  std::size_t end;
};

/// Where each line of `text` lies, its line break included.
std::vector<Span> lines_of(std::string_view text) {
  std::vector<Span> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    lines.push_back({at, end});
    at = end;
  }
  return lines;
}

/// "tool.veneer" of the line "[ tool . veneer ] # ours"; empty for one that is no such header.
std::string header_of(std::string_view line) {
  line = trimmed(line);
  if (!line.starts_with('[') || line.starts_with("[[")) return "";
  const std::size_t end = line.find(']');
  if (end == std::string_view::npos) return "";
  std::string name;
  for (const char c : line.substr(1, end - 1)) {
    if (c != ' ' && c != '\t' && c != '"' && c != '\'') name += c;
  }
  return name;
}

class Editor {
 public:
  explicit Editor(std::string_view text)
      : text_(text), document_(parse_toml(text)), line_break_(text.find("\r\n") < text.find('\n') ? "\r\n" : "\n") {}

  /// Of one table. False, and nothing changes, when there is no place for them.
  bool add(const std::string& table, const std::vector<Setting>& settings) {
    Value wanted = document_;
    std::string lines;
    for (const Setting& setting : settings) {
      std::vector<std::string> path = split_fields(table, '.');
      path.push_back(setting.key);
      if (!set(wanted, path, setting.value)) return false;
      lines += toml_lines(setting);
    }
    for (const std::size_t place : places_in(table)) {
      if (take(with_lines_at(place, lines), wanted)) return true;
    }
    std::string end = text_.empty() ? "" : "\n";
    if (!text_.empty() && !text_.ends_with('\n')) end += "\n";
    return take(with_lines_at(text_.size(), fmt::format("{}[{}]\n{}", end, table, lines)), wanted);
  }

  /// What stands for `old` somewhere becomes `setting`'s value: where the file then says that, and else what it said.
  bool replace(const Setting& setting, const std::string& old) {
    Value wanted = document_;
    std::vector<std::string> path = split_fields(setting.table, '.');
    path.push_back(setting.key);
    if (!set(wanted, path, setting.value)) return false;
    for (const std::string& written : {toml_text(old), "'" + old + "'"}) {
      for (std::size_t at = text_.find(written); at != std::string::npos; at = text_.find(written, at + 1)) {
        std::string text = text_;
        if (take(text.replace(at, written.size(), toml_value(setting.value)), wanted)) return true;
      }
    }
    return false;
  }

  const Value& document() const { return document_; }
  const std::string& text() const { return text_; }

 private:
  /// Behind the last line of the table that is not empty and no comment, and right below its header.
  std::vector<std::size_t> places_in(const std::string& table) const {
    const std::vector<Span> lines = lines_of(text_);
    const auto line = [&](std::size_t i) {
      return trimmed(std::string_view(text_).substr(lines[i].begin, lines[i].end - lines[i].begin));
    };
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (header_of(line(i)) != table) continue;
      std::size_t last = i;
      for (std::size_t j = i + 1; j < lines.size() && !line(j).starts_with('['); ++j) {
        if (!line(j).empty() && !line(j).starts_with('#')) last = j;
      }
      places.push_back(lines[last].end);
      if (last != i) places.push_back(lines[i].end);
    }
    return places;
  }

  std::string with_lines_at(std::size_t place, const std::string& lines) const {
    std::string added;
    if (place > 0 && text_[place - 1] != '\n' && !lines.starts_with('\n')) added = line_break_;
    for (const char c : lines) added += c == '\n' ? line_break_ : std::string(1, c);
    return text_.substr(0, place) + added + text_.substr(place);
  }

  bool take(std::string text, const Value& wanted) {
    try {
      Value document = parse_toml(text);
      if (!is_same(document, wanted)) return false;
      document_ = std::move(document);
    } catch (const Error&) {
      return false;
    }
    text_ = std::move(text);
    return true;
  }

  std::string text_;
  Value document_;
  std::string line_break_;
};

}  // namespace

std::string toml_lines(const Setting& setting) {
  const std::string head = toml_key(setting.key) + " = ";
  const std::string line = head + toml_value(setting.value);
  if (line.size() + setting.why.size() + 4 <= longest_line || (setting.why.empty() && line.size() <= longest_line))
    return line + (setting.why.empty() ? "" : "  # " + setting.why) + "\n";
  std::string text = setting.why.empty() ? "" : "# " + setting.why + "\n";
  const bool is_list = setting.value.is_array() && (line.size() > longest_line || setting.value.array().size() > 4);
  if (!is_list) return text + line + "\n";
  text += head + "[\n";
  for (const Value& item : setting.value.array()) text += "    " + toml_value(item) + ",\n";
  return text + "]\n";
}

std::optional<std::string> set_text(std::string_view text, const Setting& setting) {
  Editor editor(text);
  const Value* table = find_table(editor.document(), setting.table);
  const Value* there = table == nullptr || !table->is_table() ? nullptr : table->find(setting.key);
  if (there != nullptr && is_same(*there, setting.value)) return editor.text();
  const bool is_set = there == nullptr ? editor.add(setting.table, {setting})
                                       : there->is_string() && editor.replace(setting, there->string());
  return is_set ? std::optional(editor.text()) : std::nullopt;
}

Edited add_settings(std::string_view text, const std::vector<Setting>& settings) {
  Editor editor(text);
  Edited result;
  std::vector<std::string> tables;
  std::vector<std::vector<Setting>> new_of_table;
  for (const Setting& setting : settings) {
    const Value* table = find_table(editor.document(), setting.table);
    const Value* there = table == nullptr || !table->is_table() ? nullptr : table->find(setting.key);
    if (there != nullptr) {
      if (!is_same(*there, setting.value)) result.kept.push_back(setting);
      continue;
    }
    const auto known = std::find(tables.begin(), tables.end(), setting.table);
    if (known == tables.end()) {
      tables.push_back(setting.table);
      new_of_table.push_back({setting});
    } else {
      new_of_table[static_cast<std::size_t>(known - tables.begin())].push_back(setting);
    }
  }
  for (std::size_t i = 0; i < tables.size(); ++i) {
    auto& place = editor.add(tables[i], new_of_table[i]) ? result.added : result.unplaced;
    place.insert(place.end(), new_of_table[i].begin(), new_of_table[i].end());
  }
  result.text = editor.text();
  return result;
}

}  // namespace veneer::setup
