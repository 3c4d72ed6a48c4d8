// Compressed layers from anyone: gzip, zstd and raw deflate, by the first byte. Output is bounded by the reader's
// limit; the same bytes in other pieces give the same.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>

#include "archive/compression.hh"
#include "foundation/error.hh"
#include "foundation/stream.hh"

using namespace veneer;

namespace {

constexpr std::uint64_t limit = 1 << 22;

/// Gives its bytes in pieces of a few.
class Trickle : public ByteSource {
 public:
  explicit Trickle(ByteView bytes) : source_(bytes) {}
  std::size_t read(std::span<std::byte> into) override {
    return source_.read(into.first(std::min<std::size_t>(into.size(), 7)));
  }

 private:
  MemorySource source_;
};

std::unique_ptr<ByteSource> open(unsigned form, std::unique_ptr<ByteSource> stored) {
  switch (form % 3) {
    case 0: return archive::open_gzip(std::move(stored));
    case 1: return archive::open_zstd(std::move(stored));
    default: return archive::open_deflate(std::move(stored));
  }
}

std::optional<Bytes> read(unsigned form, std::unique_ptr<ByteSource> stored) {
  try {
    return read_all(*open(form, std::move(stored)), limit);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView rest = std::as_bytes(std::span(data + 1, size - 1));
  const auto whole = read(data[0], std::make_unique<MemorySource>(rest));
  if (read(data[0], std::make_unique<Trickle>(rest)) != whole) std::abort();
  return 0;
}
