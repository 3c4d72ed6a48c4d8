#include "image/files_label.hh"

#include <algorithm>

#include "foundation/base64.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/text.hh"

namespace veneer::image {

namespace {

using Kind = InstalledFile::Kind;

constexpr std::string_view interpreter_key = "Python";  // no normalised name has capitals
constexpr std::string_view list_key = "Files";
constexpr std::string_view source_mark = "source";
constexpr std::size_t most_bytes = 1 << 20;

/// "docopt:source:<43 characters>", "rich:<43 characters>", "of-git:"
std::string entry_of(const std::string& name, const InstalledFiles& files) {
  const auto found = files.distributions.find(name);
  if (found == files.distributions.end()) return name + ":";
  const std::string digest = encode_base64_url(found->second.sha256.bytes);
  return name + (found->second.kind == Kind::source ? ":source:" : ":") + digest;
}

std::optional<Hash> read_digest(std::string_view text) {
  const std::optional<std::string> bytes = decode_base64_url(text);
  Hash hash;
  if (!bytes || bytes->size() != hash.bytes.size()) return std::nullopt;
  std::ranges::copy(as_bytes(*bytes), hash.bytes.begin());
  return hash;
}

void read_entry(const std::string& entry, InstalledFiles& files) {
  const std::vector<std::string> fields = split_fields(entry, ':');
  if (fields.size() == 2 && fields[1].empty()) {
    files.others.insert(fields[0]);
    return;
  }
  const bool is_source = fields.size() == 3 && fields[1] == source_mark;
  if (fields.size() != 2 && !is_source) return;
  if (const auto hash = read_digest(fields.back())) {
    files.distributions[fields[0]] = {is_source ? Kind::source : Kind::wheel, *hash};
  }
}

/// A row of the table that was written before: "<64 digits>", "source <64 digits>".
void read_row(const std::string& name, std::string_view hex, InstalledFiles& files) {
  const bool is_source = hex.starts_with("source ");
  if (is_source) hex.remove_prefix(sizeof("source ") - 1);
  if (const auto hash = Hash::from_hex(hex)) {
    files.distributions[name] = {is_source ? Kind::source : Kind::wheel, *hash};
  }
}

}  // namespace

std::vector<std::string> names_of(const InstalledFiles& files) {
  std::set<std::string> names = files.others;
  for (const auto& [name, file] : files.distributions) names.insert(name);
  return {names.begin(), names.end()};
}

std::string write_files_label(const InstalledFiles& files) {
  Value value{Value::Table{}};
  if (const auto& interpreter = files.interpreter) {
    value.set(interpreter_key, Value::Array{interpreter->version, interpreter->url, interpreter->sha256.hex()});
  }
  std::string list;
  for (const std::string& name : names_of(files)) list += (list.empty() ? "" : " ") + entry_of(name, files);
  if (!list.empty()) value.set(list_key, std::move(list));
  return to_json(value);
}

InstalledFiles read_files_label(std::string_view label) {
  InstalledFiles files;
  if (label.size() > most_bytes) return files;
  try {
    const Value document = parse_json(label);
    for (const auto& [name, value] : document.table()) {
      if (value.is_string() && name == list_key) {
        for (const std::string& entry : split_fields(value.string(), ' ')) read_entry(entry, files);
      } else if (value.is_string()) {
        read_row(name, value.string(), files);
      } else if (name == interpreter_key && value.array().size() == 3) {
        const Value::Array& words = value.array();
        const auto hash = Hash::from_hex(words[2].string());
        if (hash) files.interpreter = InstalledInterpreter{words[0].string(), words[1].string(), *hash};
      }
    }
  } catch (const Error&) {
    return {};
  }
  return files;
}

}  // namespace veneer::image
