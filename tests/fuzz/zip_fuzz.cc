// Zip files from anyone: what is accepted is consistent, bounded, and says what it holds. Members are read to their
// ends.
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "archive/compression.hh"
#include "archive/zip.hh"
#include "foundation/error.hh"
#include "foundation/stream.hh"

using namespace veneer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  const auto file = std::make_shared<MemoryAccess>(Bytes(bytes, bytes + size));
  archive::ZipLimits limits;
  limits.entry_size = 1 << 22;
  limits.total_size = 1 << 23;
  try {
    const archive::ZipReader zip(file, limits);
    std::uint64_t inflated = 0;
    std::uint64_t stored = 0;
    for (const archive::ZipEntry& entry : zip.entries()) {
      inflated += entry.size;
      stored += entry.compressed_size;
      if (entry.data_offset + entry.compressed_size > size) std::abort();
    }
    // Members do not overlap, so together they are no larger than the file.
    if (inflated > limits.total_size || stored > size) std::abort();
    for (const archive::ZipEntry& entry : zip.entries()) {
      const auto content = zip.content(entry);
      if (content->size() != entry.size) std::abort();
      try {
        const Bytes whole = read_all(*content->open(), limits.entry_size);
        if (whole.size() != entry.size) std::abort();
        if (const auto deflated = content->deflated()) {
          // What is copied into a layer inflates to the same.
          const Bytes stream = read_all(*deflated->stream, size);
          if (stream.size() != deflated->stream_size) std::abort();
          if (read_all(*archive::open_deflate(std::make_unique<MemorySource>(stream)), limits.entry_size) != whole)
            std::abort();
        }
      } catch (const Error&) {  // damaged data, found where it is read
      }
    }
  } catch (const Error&) {
  }
  return 0;
}
