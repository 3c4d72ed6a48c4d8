#include "image/files_label.hh"

#include "foundation/error.hh"
#include "foundation/json.hh"

namespace veneer::image {

namespace {
constexpr std::string_view interpreter_key = "Python";  // no normalised name has capitals
constexpr std::string_view source_mark = "source ";
constexpr std::size_t most_bytes = 1 << 20;
}  // namespace

std::string write_files_label(const InstalledFiles& files) {
  Value value{Value::Table{}};
  if (const auto& interpreter = files.interpreter) {
    value.set(interpreter_key, Value::Array{interpreter->version, interpreter->url, interpreter->sha256.hex()});
  }
  for (const auto& [name, file] : files.distributions) {
    const bool is_source = file.kind == InstalledFile::Kind::source;
    value.set(name, std::string(is_source ? source_mark : "") + file.sha256.hex());
  }
  return to_json(value);
}

InstalledFiles read_files_label(std::string_view label) {
  InstalledFiles files;
  if (label.size() > most_bytes) return files;
  try {
    const Value document = parse_json(label);
    for (const auto& [name, value] : document.table()) {
      if (value.is_string()) {
        std::string_view hex = value.string();
        const bool is_source = hex.starts_with(source_mark);
        if (is_source) hex.remove_prefix(source_mark.size());
        if (const auto hash = Hash::from_hex(hex)) {
          using Kind = InstalledFile::Kind;
          files.distributions[name] = {is_source ? Kind::source : Kind::wheel, *hash};
        }
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
