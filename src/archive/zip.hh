// A strict reader of zip files (PKWARE APPNOTE 6.3), the container of wheels. Where two readers could see two different
// archives in the same bytes, the file is refused. A reader may be used by several threads.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/content.hh"
#include "foundation/stream.hh"

namespace veneer::archive {

enum class ZipMethod { stored, deflated };

struct ZipEntry {
  std::string name;  // as in the archive: valid UTF-8 without NUL; nothing else is promised. Folders end with '/'
  ZipMethod method = ZipMethod::stored;
  std::uint32_t crc32 = 0;
  std::uint64_t compressed_size = 0;
  std::uint64_t size = 0;
  std::uint64_t data_offset = 0;
  std::optional<mode_t> unix_mode;  // type and permission bits, when the archive was made on a Unix system and has them
  bool is_folder = false;
};

struct ZipLimits {
  std::size_t entries = 500'000;
  std::uint64_t entry_size = 16ull << 30;  // inflated
  std::uint64_t total_size = 64ull << 30;  // inflated, all entries
  std::size_t name_length = 4096;
};

class ZipReader {
 public:
  /// Reads and checks the whole structure, no file data: end record (zip64 too) at the very end of the file, central
  /// directory = local headers field by field, members back to back without gap or overlap from offset 0 on, no
  /// encryption, no second disk, only stored and deflated members (any other method is refused by its name).
  /// Throws Error (refused) that names the member and what is wrong with it.
  explicit ZipReader(std::shared_ptr<const RandomAccess> file, const ZipLimits& limits = {});

  /// In the order of the central directory. Names may occur more than once; whether that is an error is for the caller
  /// to say.
  const std::vector<ZipEntry>& entries() const { return entries_; }
  /// Inflates; the reader throws Error (refused) at the end when size or CRC is not as recorded.
  std::unique_ptr<ByteSource> open(const ZipEntry& entry) const;
  /// The same as Content (with deflated() for deflated members); it shares ownership of the file.
  std::shared_ptr<const Content> content(const ZipEntry& entry) const;

 private:
  std::shared_ptr<const RandomAccess> file_;
  std::vector<ZipEntry> entries_;
};

}  // namespace veneer::archive
