#include "base/base_lock_rows.hh"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/base_files.hh"
#include "foundation/error.hh"
#include "foundation/text.hh"

namespace veneer::base {

namespace {

enum class Presence { required, optional };

template <typename Row>
struct Key {
  std::string_view name;
  Presence presence;
  void (*read)(Row& row, const std::string& value, std::string_view name);
  std::optional<std::string> (*text)(const Row& row);  // as it is written; nothing: the key is left out
};

std::optional<std::string> quoted(const std::string& value) {
  return value.empty() ? std::nullopt : std::optional(toml_string(value));
}

Hash read_hash(const std::string& text) {
  const auto hash = Hash::from_hex(text);
  if (!hash)
    throw Error(ErrorKind::refused, fmt::format("'{}' is no SHA-256: 64 hexadecimal digits", printable(text, 80)));
  return *hash;
}

/// What becomes a line of apt's settings, or a word of dpkg's.
std::string read_word(const std::string& text, std::string_view what) {
  const auto is_plain = [](char c) {
    return is_letter(c) || is_digit(c) || std::string_view("+-.:~").find(c) != std::string_view::npos;
  };
  if (text.empty() || text.size() > 256 || !std::all_of(text.begin(), text.end(), is_plain)) {
    throw Error(ErrorKind::refused, fmt::format("'{}' is no {} of a Debian package", printable(text, 80), what));
  }
  return text;
}

std::string read_text(const std::string& text, std::string_view what) {
  if (text.empty()) throw Error(ErrorKind::refused, fmt::format("'{}' is empty", what));
  return text;
}

template <typename Row, std::string Row::*Member, std::string (*Read)(const std::string&, std::string_view) = read_text>
Key<Row> required(std::string_view name) {
  return {name, Presence::required,
          [](Row& row, const std::string& value, std::string_view key) { row.*Member = Read(value, key); },
          [](const Row& row) { return quoted(row.*Member); }};
}

template <typename Digest, std::optional<Digest> LockedImage::*Member>
Key<LockedImage> digest(std::string_view name) {
  return {name, Presence::optional,
          [](LockedImage& row, const std::string& value, std::string_view) { row.*Member = Digest::parse(value); },
          [](const LockedImage& row) { return quoted(row.*Member ? (row.*Member)->text() : ""); }};
}

template <typename Row>
std::vector<Key<Row>> keys();

template <>
std::vector<Key<LockedPackage>> keys() {
  using Row = LockedPackage;
  return {required<Row, &Row::name, read_word>("name"),
          required<Row, &Row::version, read_word>("version"),
          required<Row, &Row::architecture, read_word>("architecture"),
          {"sha256", Presence::optional,
           [](Row& row, const std::string& value, std::string_view) { row.sha256 = read_hash(value); },
           [](const Row& row) { return quoted(row.sha256 ? row.sha256->hex() : ""); }}};
}

template <>
std::vector<Key<Interpreter>> keys() {
  using Row = Interpreter;
  return {required<Row, &Row::version>("version"),
          required<Row, &Row::url>("url"),
          {"sha256", Presence::required,
           [](Row& row, const std::string& value, std::string_view) { row.archive = {read_hash(value)}; },
           [](const Row& row) { return quoted(row.archive.hex()); }}};
}

template <>
std::vector<Key<TargetFacts>> keys() {
  using Row = TargetFacts;
  return {required<Row, &Row::interpreter>("interpreter"), required<Row, &Row::python>("python"),
          required<Row, &Row::libc>("libc"), required<Row, &Row::machine>("machine")};
}

template <>
std::vector<Key<LockedPython>> keys() {
  using Row = LockedPython;
  return {required<Row, &Row::found_as>("found_as"), required<Row, &Row::interpreter>("interpreter"),
          required<Row, &Row::python>("python"), required<Row, &Row::libc>("libc"),
          required<Row, &Row::machine>("machine")};
}

template <>
std::vector<Key<LockedFile>> keys() {
  using Row = LockedFile;
  return {required<Row, &Row::path>("path"),
          required<Row, &Row::is>("is"),
          {"text", Presence::optional, [](Row& row, const std::string& value, std::string_view) { row.text = value; },
           [](const Row& row) { return row.text ? std::optional(toml_text(*row.text)) : std::nullopt; }}};
}

template <>
std::vector<Key<LockedImage>> keys() {
  return {digest<ManifestDigest, &LockedImage::index>("index"),
          digest<ManifestDigest, &LockedImage::manifest>("manifest"),
          digest<ConfigDigest, &LockedImage::config>("config")};
}

/// What is to hold of a row as a whole.
template <typename Row>
void check(const Row&) {}
void check(const LockedFile& file) { check_locked_file(file); }

}  // namespace

template <typename Row>
Row read_locked_row(Fields fields) {
  Row row;
  for (const Key<Row>& key : keys<Row>()) {
    auto value =
        key.presence == Presence::required ? std::optional(fields.take(key.name)) : fields.take_if_there(key.name);
    if (value) key.read(row, std::move(*value), key.name);
  }
  fields.end();
  check(row);
  return row;
}

template <typename Row>
std::string row_text(const Row& row) {
  std::string text;
  for (const Key<Row>& key : keys<Row>()) {
    if (const auto value = key.text(row)) text += fmt::format("{} {} = {}", text.empty() ? "{" : ",", key.name, *value);
  }
  return text + " }";
}

template Interpreter read_locked_row(Fields);
template TargetFacts read_locked_row(Fields);
template LockedFile read_locked_row(Fields);
template LockedImage read_locked_row(Fields);
template LockedPackage read_locked_row(Fields);
template LockedPython read_locked_row(Fields);
template std::string row_text(const Interpreter&);
template std::string row_text(const TargetFacts&);
template std::string row_text(const LockedFile&);
template std::string row_text(const LockedImage&);
template std::string row_text(const LockedPackage&);
template std::string row_text(const LockedPython&);

}  // namespace veneer::base
