#include "python/wheel/record.hh"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "foundation/base64.hh"
#include "foundation/error.hh"
#include "foundation/utf8.hh"

namespace veneer::python {
namespace {

[[noreturn]] void refuse_line(std::size_t line, std::string_view fault) {
  throw Error(ErrorKind::refused, fmt::format("RECORD is refused: line {}: {}", line, fault));
}

/// Splits CSV into lines of fields (RFC 4180, with any line end).
class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : rest_(text) {}

  /// The fields of the next line that is not empty; false at the end.
  bool next(std::vector<std::string>& fields) {
    while (!rest_.empty()) {
      ++line_;
      fields.clear();
      read_line(fields);
      if (fields.size() > 1 || !fields[0].empty()) return true;
    }
    return false;
  }
  std::size_t line() const { return line_; }

 private:
  void read_line(std::vector<std::string>& fields) {
    while (true) {
      fields.push_back(read_field());
      if (fields.size() > 3) refuse_line(line_, "it has more than three fields");
      if (rest_.empty()) return;
      const char end = rest_.front();
      rest_.remove_prefix(1);
      if (end == ',') continue;
      if (end == '\r' && rest_.starts_with('\n')) rest_.remove_prefix(1);
      return;
    }
  }

  std::string read_field() {
    std::string field;
    if (rest_.starts_with('"')) {
      rest_.remove_prefix(1);
      while (true) {
        const std::size_t quote = rest_.find('"');
        if (quote == std::string_view::npos) refuse_line(line_, "a quote is not closed");
        field += rest_.substr(0, quote);
        rest_.remove_prefix(quote + 1);
        if (!rest_.starts_with('"')) break;
        field += '"';
        rest_.remove_prefix(1);
      }
    }
    const std::size_t end = std::min(rest_.find_first_of(",\r\n"), rest_.size());
    field += rest_.substr(0, end);
    rest_.remove_prefix(end);
    return field;
  }

  std::string_view rest_;
  std::size_t line_ = 0;
};

void append_field(std::string& line, std::string_view field) {
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
    line += field;
    return;
  }
  line += '"';
  for (const char c : field) {
    if (c == '"') line += '"';
    line += c;
  }
  line += '"';
}

std::size_t digest_size(HashAlgorithm algorithm) {
  switch (algorithm) {
    case HashAlgorithm::sha256: return 32;
    case HashAlgorithm::sha384: return 48;
    case HashAlgorithm::sha512: return 64;
  }
  return 0;
}

std::optional<HashAlgorithm> find_algorithm(std::string_view name) {
  for (const auto algorithm : {HashAlgorithm::sha256, HashAlgorithm::sha384, HashAlgorithm::sha512}) {
    if (name == algorithm_name(algorithm)) return algorithm;
  }
  return std::nullopt;
}

}  // namespace

std::vector<RecordRow> parse_record(std::string_view text) {
  if (!is_utf8(text)) throw Error(ErrorKind::refused, "RECORD is refused: it is not UTF-8");
  std::vector<RecordRow> rows;
  CsvReader reader(text);
  std::vector<std::string> fields;
  while (reader.next(fields)) {
    if (fields.size() != 3) {
      refuse_line(reader.line(), fmt::format("it has {} fields instead of three", fields.size()));
    }
    if (fields[0].empty()) refuse_line(reader.line(), "it names no file");
    if (fields[2].find_first_not_of("0123456789") != std::string::npos || fields[2].size() > 19) {
      refuse_line(reader.line(), fmt::format("{} is no size", printable(fields[2], 60)));
    }
    rows.push_back({std::move(fields[0]), std::move(fields[1]), std::move(fields[2])});
  }
  return rows;
}

std::string write_record(std::vector<RecordRow> rows) {
  std::sort(rows.begin(), rows.end(), [](const RecordRow& left, const RecordRow& right) {
    return std::tie(left.path, left.hash, left.size) < std::tie(right.path, right.hash, right.size);
  });
  std::string text;
  for (const RecordRow& row : rows) {
    append_field(text, row.path);
    text += ',';
    append_field(text, row.hash);
    text += ',';
    append_field(text, row.size);
    text += '\n';
  }
  return text;
}

HashField read_hash_field(std::string_view field) {
  if (field.empty()) return {};
  const std::size_t equals = field.find('=');
  const std::optional<HashAlgorithm> algorithm = find_algorithm(field.substr(0, equals));
  if (equals == std::string_view::npos || !algorithm) return {HashForm::unsupported, std::nullopt};

  const std::string_view value = field.substr(equals + 1);
  std::string plain(value.substr(0, value.find_last_not_of('=') + 1));
  std::replace(plain.begin(), plain.end(), '+', '-');
  std::replace(plain.begin(), plain.end(), '/', '_');
  const std::optional<std::string> decoded = decode_base64_url(plain);
  if (!decoded || decoded->size() != digest_size(*algorithm)) {
    throw Error(ErrorKind::refused,
                fmt::format("{} is no {} hash in base64", printable(field, 200), algorithm_name(*algorithm)));
  }
  const ByteView digest = as_bytes(*decoded);
  return {plain == value ? HashForm::canonical : HashForm::unusual,
          RecordHash{*algorithm, {digest.begin(), digest.end()}}};
}

std::string sha256_field(ByteView digest) { return "sha256=" + encode_base64_url(digest); }

std::string_view algorithm_name(HashAlgorithm algorithm) {
  switch (algorithm) {
    case HashAlgorithm::sha256: return "sha256";
    case HashAlgorithm::sha384: return "sha384";
    case HashAlgorithm::sha512: return "sha512";
  }
  return "unknown";
}

}  // namespace veneer::python
