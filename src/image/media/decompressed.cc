#include "image/media/decompressed.hh"

#include <fmt/format.h>

#include <array>
#include <filesystem>

#include "archive/compression.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/temporary.hh"

namespace veneer::image {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kept_free = 64ull << 20;  // of the disk, for others

archive::Encoding encoding_of(const RandomAccess& file) {
  std::array<std::byte, 4> start{};
  if (file.size() < start.size()) return archive::Encoding::tar;
  file.read_at(0, start);
  if (as_text(start).starts_with("\x1f\x8b")) return archive::Encoding::gzip;
  if (as_text(start) == "\x28\xb5\x2f\xfd") return archive::Encoding::zstd;
  return archive::Encoding::tar;
}

void unpack(ByteSource& from, ByteSink& to, const fs::path& folder) {
  const std::uint64_t free = fs::space(folder).available;
  std::uint64_t rest = free > kept_free ? free - kept_free : 0;
  std::array<std::byte, 256 * 1024> buffer{};
  while (const std::size_t count = from.read(buffer)) {
    if (count > rest) {
      throw Error(
          ErrorKind::failed,
          fmt::format("decompressed, the archive has more bytes than '{}' has room for", printable(folder.native())),
          "free space there, set TMPDIR to another folder, or decompress the archive");
    }
    rest -= count;
    to.write(ByteView(buffer).first(count));
  }
}

}  // namespace

std::shared_ptr<const RandomAccess> decompressed(std::shared_ptr<const RandomAccess> file) {
  const archive::Encoding encoding = encoding_of(*file);
  if (encoding == archive::Encoding::tar) return file;
  return in_context([&] { return fmt::format("decompressing it ({})", archive::encoding_name(encoding)); },
                    [&]() -> std::shared_ptr<const RandomAccess> {
                      const std::uint64_t size = file->size();
                      const auto source =
                          archive::open_encoded(std::make_unique<SliceSource>(std::move(file), 0, size), encoding);
                      const TemporaryFolder folder(fs::temp_directory_path(), "archive");
                      AtomicFile unpacked(folder.path() / "archive.tar", 0600);
                      unpack(*source, unpacked, folder.path());
                      // Open, it outlives its name.
                      return std::make_shared<File>(unpacked.temporary_path());
                    });
}

}  // namespace veneer::image
