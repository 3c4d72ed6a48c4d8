#include "base/lock_text.hh"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "foundation/error.hh"
#include "foundation/text.hh"

namespace veneer::base {

void Fields::add(std::string key, std::string value) {
  if (!values_.emplace(std::move(key), std::move(value)).second)
    throw Error(ErrorKind::refused, "a key is there twice");
}

std::string Fields::take(std::string_view key) {
  std::optional<std::string> value = take_if_there(key);
  if (!value) throw Error(ErrorKind::refused, fmt::format("'{}' is missing", key));
  return std::move(*value);
}

std::optional<std::string> Fields::take_if_there(std::string_view key) {
  const auto found = values_.find(key);
  if (found == values_.end()) return std::nullopt;
  std::string value = found->second;
  values_.erase(found);
  return value;
}

void Fields::end() const {
  if (!values_.empty())
    throw Error(ErrorKind::refused, fmt::format("'{}' is not known", printable(values_.begin()->first)));
}

bool Line::take(std::string_view mark) {
  if (!rest_.starts_with(mark)) return false;
  rest_.remove_prefix(mark.size());
  skip_blanks();
  return true;
}

void Line::expect(std::string_view mark) {
  if (!take(mark))
    throw Error(ErrorKind::refused, fmt::format("'{}' is expected here: '{}'", mark, printable(rest_, 40)));
}

void Line::expect_end() const {
  if (!is_at_end())
    throw Error(ErrorKind::refused, fmt::format("nothing more is expected here: '{}'", printable(rest_, 40)));
}

std::string Line::key() {
  std::size_t end = 0;
  while (end < rest_.size() && (is_lower(rest_[end]) || is_digit(rest_[end]) || rest_[end] == '_')) ++end;
  if (end == 0) throw Error(ErrorKind::refused, fmt::format("a key is expected here: '{}'", printable(rest_, 40)));
  std::string name(rest_.substr(0, end));
  rest_.remove_prefix(end);
  skip_blanks();
  expect("=");
  return name;
}

std::string Line::string() {
  if (!rest_.starts_with('"'))
    throw Error(ErrorKind::refused, fmt::format("a string is expected here: '{}'", printable(rest_, 40)));
  std::string text;
  for (std::size_t i = 1; i < rest_.size(); ++i) {
    if (rest_[i] == '"') {
      rest_.remove_prefix(i + 1);
      skip_blanks();
      return text;
    }
    if (rest_[i] != '\\') {
      text += rest_[i];
      continue;
    }
    const std::size_t escape = ++i < rest_.size() ? std::string_view("\"\\nt").find(rest_[i]) : std::string_view::npos;
    if (escape == std::string_view::npos) break;
    text += "\"\\\n\t"[escape];
  }
  throw Error(ErrorKind::refused, "a string does not end, or has an escape other than \\\", \\\\, \\n and \\t");
}

Fields Line::table() {
  Fields fields;
  expect("{");
  do {
    std::string name = key();
    fields.add(std::move(name), string());
  } while (take(","));
  expect("}");
  return fields;
}

void Line::skip_blanks() {
  while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
}

std::string toml_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if ((c >= 0 && c < ' ') || c == 127)
      throw Error(ErrorKind::refused, fmt::format("veneer.lock cannot hold '{}'", printable(text)));
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

/// Also of lines.
std::string toml_text(const std::string& text) {
  std::string result;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find_first_of("\n\t", start), text.size());
    const std::string piece = toml_string(std::string_view(text).substr(start, end - start));
    result += piece.substr(1, piece.size() - 2);
    if (end < text.size()) result += text[end] == '\n' ? "\\n" : "\\t";
    start = end + 1;
  }
  return "\"" + result + "\"";
}

}  // namespace veneer::base
