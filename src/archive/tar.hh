// What a tar archive holds: the entry, and a reader of the forms found in image layers. Values; a reader belongs to one
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "foundation/stream.hh"

namespace veneer::archive {

/// Headers and data lie in blocks of so many bytes.
inline constexpr std::size_t tar_block_size = 512;

enum class EntryType { file, folder, symlink, hard_link, character_device, block_device, fifo };

struct TarEntry {
  std::string path;  // as written, but without "./" parts, doubled, leading and trailing slashes; may hold ".." (see
                     // has_parent_parts)
  EntryType type = EntryType::file;
  std::uint32_t mode = 0;  // permission bits with set-uid, set-gid, sticky
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::int64_t mtime = 0;   // seconds since 1970
  std::uint64_t size = 0;   // of the data; 0 unless a file
  std::string link_target;  // symlink: as written; hard_link: a path, cleaned like `path`
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::map<std::string, std::string> xattrs;  // PAX SCHILY.xattr.* by name (without that prefix), values raw
};

/// Whether a part of the cleaned `path` is "..".
bool has_parent_parts(std::string_view path);

struct TarLimits {
  std::size_t entries = 5'000'000;
  std::uint64_t header_data = 1 << 20;           // a PAX header or GNU long name
  std::uint64_t all_header_data = 512ull << 20;  // all of them together: they shrink a thousandfold in a blob
  std::size_t path_length = 65'536;
};

/// Reads ustar, GNU (long names and link names, base-256 numbers, old sparse headers refused by name unless the file is
/// empty of holes) and POSIX PAX (path, linkpath, size, uid, gid, mtime, SCHILY.xattr; global headers are read and
/// ignored; records with an empty value as well, xattrs apart, and GNU's long names go before PAX, as in engines). An
/// extension header without an entry behind it is refused with its place. Checksums are checked. What the format
/// forbids or engines cannot extract is an Error (refused) that names the entry. Two zero blocks, or the end of the
/// data at an entry boundary, end the archive; what follows is drained.
class TarReader {
 public:
  /// `source` must outlive the reader.
  explicit TarReader(ByteSource& source, const TarLimits& limits = {});
  /// Reads what is asked for and no more: seeks over unread data, and over what follows the end.
  explicit TarReader(std::shared_ptr<const RandomAccess> archive, const TarLimits& limits = {});
  ~TarReader();
  /// The next entry, or nothing at the end. Unread data of the entry before is passed over.
  std::optional<TarEntry> next();
  /// The data of the entry that next() gave last (exactly TarEntry::size bytes, or an Error when the archive ends).
  ByteSource& data();
  /// Where the data of that entry begins in the archive, in bytes from the start.
  std::uint64_t data_offset() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace veneer::archive
