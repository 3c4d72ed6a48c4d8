#include "archive/xz.hh"

#include <fmt/format.h>
#include <lzma.h>

#include <array>

#include "foundation/error.hh"

namespace veneer::archive {

namespace {

constexpr std::uint64_t most_memory = 256ull << 20;

class XzSource : public ByteSource {
 public:
  explicit XzSource(std::unique_ptr<ByteSource> compressed) : compressed_(std::move(compressed)) {
    if (lzma_stream_decoder(&stream_, most_memory, LZMA_CONCATENATED) != LZMA_OK) {
      throw Error(ErrorKind::failed, "liblzma cannot begin");
    }
  }
  XzSource(const XzSource&) = delete;
  XzSource& operator=(const XzSource&) = delete;
  ~XzSource() override { lzma_end(&stream_); }

  std::size_t read(std::span<std::byte> into) override {
    if (is_done_) return 0;
    stream_.next_out = reinterpret_cast<std::uint8_t*>(into.data());
    stream_.avail_out = into.size();
    while (stream_.avail_out == into.size() && !is_done_) {
      if (stream_.avail_in == 0 && !is_read_) {
        const std::size_t count = compressed_->read(buffer_);
        stream_.next_in = reinterpret_cast<const std::uint8_t*>(buffer_.data());
        stream_.avail_in = count;
        is_read_ = count == 0;
      }
      const lzma_ret result = lzma_code(&stream_, is_read_ ? LZMA_FINISH : LZMA_RUN);
      if (result == LZMA_STREAM_END) {
        is_done_ = true;
      } else if (result != LZMA_OK) {
        throw Error(ErrorKind::refused,
                    fmt::format("the xz data is damaged or cut off (liblzma says {})", static_cast<int>(result)));
      }
    }
    return into.size() - stream_.avail_out;
  }

 private:
  std::unique_ptr<ByteSource> compressed_;
  std::array<std::byte, 64 * 1024> buffer_{};
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool is_read_ = false;
  bool is_done_ = false;
};

}  // namespace

std::unique_ptr<ByteSource> open_xz(std::unique_ptr<ByteSource> compressed) {
  return std::make_unique<XzSource>(std::move(compressed));
}

}  // namespace veneer::archive
