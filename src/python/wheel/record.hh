// RECORD, the list of a distribution's files (PEP 376, PEP 427, PEP 627): read from wheels, written for installed
// distributions. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/bytes.hh"

namespace veneer::python {

/// One line; the fields as they are written.
struct RecordRow {
  std::string path;
  std::string hash;  // "sha256=<urlsafe base64 without padding>" or empty
  std::string size;  // decimal or empty

  bool operator==(const RecordRow&) const = default;
};

/// Reads the CSV: fields may be quoted, lines end with LF, CRLF or CR, empty lines do not count. Refused with an Error
/// that names the line: another number of fields than three, an open quote, a size that is no number, invalid UTF-8.
std::vector<RecordRow> parse_record(std::string_view text);

/// Sorted by the bytes of the paths, lines ended with LF, quoted only where needed (comma, quote, line break).
std::string write_record(std::vector<RecordRow> rows);

/// Algorithms that a RECORD may use and that veneer verifies (PEP 376 forbids md5 and sha1).
enum class HashAlgorithm { sha256, sha384, sha512 };

struct RecordHash {
  HashAlgorithm algorithm = HashAlgorithm::sha256;
  Bytes digest;

  bool operator==(const RecordHash&) const = default;
};

enum class HashForm {
  absent,       // the field is empty
  canonical,    // as the specification wants it
  unusual,      // a usable hash in another spelling: padded, or in the alphabet with + and /
  unsupported,  // an algorithm that vouches for nothing (md5, sha1) or is not known
};

struct HashField {
  HashForm form = HashForm::absent;
  std::optional<RecordHash> hash;  // canonical and unusual forms
};

/// Reads the hash field of a row. A supported algorithm with a value that is no base64, or of the wrong length, is an
/// Error (refused).
HashField read_hash_field(std::string_view field);

/// "sha256=..." for a SHA-256.
std::string sha256_field(ByteView digest);

std::string_view algorithm_name(HashAlgorithm algorithm);

}  // namespace veneer::python
