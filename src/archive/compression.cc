#include "archive/compression.hh"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "archive/isal.hh"
#include "foundation/error.hh"

namespace veneer::archive {

namespace {

constexpr std::size_t input_size = 128 * 1024;
constexpr std::size_t longest_text = 16 << 10;  // of a name or comment in a gzip header
constexpr int zstd_window_log = 27;             // 128 MiB

/// Input of a decompressor, refilled from a source.
class Input {
 public:
  explicit Input(std::unique_ptr<ByteSource> source)
      : source_(std::move(source)), buffer_(std::make_unique_for_overwrite<std::byte[]>(input_size)) {}

  /// Reads on when nothing is left; false at the end.
  bool fill() {
    if (begin_ == end_) {
      begin_ = 0;
      end_ = source_->read(std::span(buffer_.get(), input_size));
    }
    return begin_ != end_;
  }
  /// Reads more behind what is left; false at the end, and when there is no room.
  bool more() {
    std::copy(buffer_.get() + begin_, buffer_.get() + end_, buffer_.get());
    end_ -= begin_;
    begin_ = 0;
    if (end_ == input_size) return false;
    const std::size_t count = source_->read(std::span(buffer_.get(), input_size).subspan(end_));
    end_ += count;
    return count > 0;
  }
  std::byte* data() { return buffer_.get() + begin_; }
  std::size_t size() const { return end_ - begin_; }
  void take(std::size_t count) { begin_ += count; }

 private:
  std::unique_ptr<ByteSource> source_;
  std::unique_ptr<std::byte[]> buffer_;  // a wheel has thousands of members: it is not filled with zeros for each
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

enum class Framing { raw, gzip };

class InflateSource : public ByteSource {
 public:
  InflateSource(std::unique_ptr<ByteSource> compressed, Framing framing)
      : input_(std::move(compressed)), state_(std::make_unique_for_overwrite<inflate_state>()), framing_(framing) {
    begin_stream();
  }

  std::size_t read(std::span<std::byte> into) override {
    while (!finished_) {
      if (state_->block_state == ISAL_BLOCK_FINISH && !next_stream()) break;
      if (needs_header_) gather_header();
      const bool more = input_.fill();
      const std::size_t wanted = std::min<std::size_t>(into.size(), 1u << 30);
      state_->next_in = reinterpret_cast<std::uint8_t*>(input_.data());
      state_->avail_in = static_cast<std::uint32_t>(input_.size());
      state_->next_out = reinterpret_cast<std::uint8_t*>(into.data());
      state_->avail_out = static_cast<std::uint32_t>(wanted);
      const int result = inflate_some(*state_);
      input_.take(input_.size() - state_->avail_in);
      const std::size_t count = wanted - state_->avail_out;
      if (result != ISAL_DECOMP_OK && result != ISAL_END_INPUT) throw_damaged(result);
      if (count > 0) return count;
      if (!more && state_->block_state != ISAL_BLOCK_FINISH) {
        throw Error(ErrorKind::refused, "the compressed data ends too early");
      }
    }
    return 0;
  }

 private:
  void begin_stream() {
    isal_inflate_init(state_.get());
    state_->crc_flag = framing_ == Framing::gzip ? ISAL_GZIP : ISAL_DEFLATE;
    needs_header_ = framing_ == Framing::gzip;
  }

  /// Brings the whole header of the next member into one piece: ISA-L loses its way when one with a name is split.
  void gather_header() {
    while (!has_whole_header(ByteView(input_.data(), input_.size()))) {
      if (!input_.more()) throw Error(ErrorKind::refused, "the compressed data ends too early");
    }
    needs_header_ = false;
  }

  /// Whether `bytes` hold all of a member's header (RFC 1952, 2.3).
  static bool has_whole_header(ByteView bytes) {
    constexpr unsigned has_sum = 2;
    constexpr unsigned has_extra = 4;
    constexpr unsigned has_name = 8;
    constexpr unsigned has_comment = 16;
    constexpr unsigned reserved = 0xe0;
    constexpr std::size_t fixed_size = 10;
    constexpr std::array<std::uint8_t, 3> start = {0x1f, 0x8b, 8};
    const auto at = [&](std::size_t place) { return std::to_integer<unsigned>(bytes[place]); };
    for (std::size_t i = 0; i < std::min(bytes.size(), start.size()); ++i) {
      if (at(i) != start[i]) throw_no_member();
    }
    if (bytes.size() < fixed_size) return false;
    const unsigned flags = at(3);
    if ((flags & reserved) != 0) throw_no_member();
    std::size_t size = fixed_size;
    if ((flags & has_extra) != 0) {
      if (bytes.size() < size + 2) return false;
      size += 2 + at(size) + (at(size + 1) << 8);
    }
    for (const unsigned flag : {has_name, has_comment}) {
      if ((flags & flag) == 0) continue;
      const auto end = std::find(bytes.begin() + static_cast<std::ptrdiff_t>(std::min(size, bytes.size())), bytes.end(),
                                 std::byte{0});
      if (static_cast<std::size_t>(end - bytes.begin()) > size + longest_text) {
        throw Error(ErrorKind::refused, "a gzip member has a name that is too long");
      }
      if (end == bytes.end()) return false;
      size = static_cast<std::size_t>(end - bytes.begin()) + 1;
    }
    if ((flags & has_sum) != 0) size += 2;
    return bytes.size() >= size;
  }

  [[noreturn]] static void throw_no_member() {
    throw Error(ErrorKind::refused, "there is something that is no gzip member");
  }

  /// After the end of a stream: begins the next member, or says that there is none.
  bool next_stream() {
    // Bytes that the decoder took in beyond the end of a raw stream; gzip's trailer leaves none.
    const bool left_over = framing_ == Framing::raw && state_->read_in_length >= 8;
    if (left_over || (framing_ == Framing::raw && input_.fill())) {
      throw Error(ErrorKind::refused, "there are bytes behind the end of the compressed data");
    }
    if (framing_ == Framing::raw || !input_.fill()) {
      finished_ = true;
      return false;
    }
    begin_stream();
    return true;
  }

  [[noreturn]] static void throw_damaged(int code) {
    if (code == ISAL_INCORRECT_CHECKSUM) {
      throw Error(ErrorKind::refused, "the compressed data has a wrong checksum or length");
    }
    throw Error(ErrorKind::refused, "the compressed data is damaged");
  }

  Input input_;
  std::unique_ptr<inflate_state> state_;
  Framing framing_;
  bool needs_header_ = false;  // of a gzip member
  bool finished_ = false;
};

class ZstdSource : public ByteSource {
 public:
  explicit ZstdSource(std::unique_ptr<ByteSource> compressed)
      : input_(std::move(compressed)), stream_(ZSTD_createDStream()) {
    if (stream_ == nullptr ||
        ZSTD_isError(ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, zstd_window_log)) != 0) {
      throw Error(ErrorKind::failed, "zstd cannot be set up");
    }
  }

  std::size_t read(std::span<std::byte> into) override {
    for (;;) {
      const bool more = input_.fill();
      if (!more && at_frame_end_) return 0;
      ZSTD_inBuffer in{input_.data(), input_.size(), 0};
      ZSTD_outBuffer out{into.data(), into.size(), 0};
      const std::size_t result = ZSTD_decompressStream(stream_.get(), &out, &in);
      if (ZSTD_isError(result) != 0) {
        throw Error(ErrorKind::refused, std::string("the zstd data is damaged: ") + ZSTD_getErrorName(result));
      }
      input_.take(in.pos);
      at_frame_end_ = result == 0;
      if (out.pos > 0) return out.pos;
      if (!more && !at_frame_end_) throw Error(ErrorKind::refused, "the compressed data ends too early");
    }
  }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
  };
  Input input_;
  std::unique_ptr<ZSTD_DStream, Free> stream_;
  bool at_frame_end_ = true;
};

/// Gives `head` first, then the rest of the source that it was read from.
class PrefixedSource : public ByteSource {
 public:
  PrefixedSource(Bytes head, std::unique_ptr<ByteSource> rest) : head_(std::move(head)), rest_(std::move(rest)) {}
  std::size_t read(std::span<std::byte> into) override {
    if (given_ == head_.size()) return rest_->read(into);
    const std::size_t count = std::min(into.size(), head_.size() - given_);
    std::copy_n(head_.begin() + static_cast<std::ptrdiff_t>(given_), count, into.begin());
    given_ += count;
    return count;
  }

 private:
  Bytes head_;
  std::unique_ptr<ByteSource> rest_;
  std::size_t given_ = 0;
};

}  // namespace

std::string_view encoding_name(Encoding encoding) {
  switch (encoding) {
    case Encoding::tar: return "tar";
    case Encoding::gzip: return "gzip";
    case Encoding::zstd: return "zstd";
  }
  return "unknown";
}

std::unique_ptr<ByteSource> open_gzip(std::unique_ptr<ByteSource> compressed) {
  return std::make_unique<InflateSource>(std::move(compressed), Framing::gzip);
}

std::unique_ptr<ByteSource> open_zstd(std::unique_ptr<ByteSource> compressed) {
  return std::make_unique<ZstdSource>(std::move(compressed));
}

std::unique_ptr<ByteSource> open_deflate(std::unique_ptr<ByteSource> compressed) {
  return std::make_unique<InflateSource>(std::move(compressed), Framing::raw);
}

std::unique_ptr<ByteSource> open_encoded(std::unique_ptr<ByteSource> stored, Encoding encoding) {
  switch (encoding) {
    case Encoding::tar: return stored;
    case Encoding::gzip: return open_gzip(std::move(stored));
    case Encoding::zstd: return open_zstd(std::move(stored));
  }
  throw Error(ErrorKind::refused, "a layer has an unknown encoding");
}

std::unique_ptr<ByteSource> open_sniffed(std::unique_ptr<ByteSource> stored, Encoding* found) {
  Bytes head(4);
  head.resize(read_full(*stored, head));
  constexpr std::array<unsigned char, 2> gzip_magic = {0x1f, 0x8b};
  constexpr std::array<unsigned char, 4> zstd_magic = {0x28, 0xb5, 0x2f, 0xfd};
  const auto begins_with = [&](const auto& magic) {
    return head.size() >= magic.size() && std::memcmp(head.data(), magic.data(), magic.size()) == 0;
  };
  const Encoding encoding = begins_with(gzip_magic)   ? Encoding::gzip
                            : begins_with(zstd_magic) ? Encoding::zstd
                                                      : Encoding::tar;
  if (found != nullptr) *found = encoding;
  return open_encoded(std::make_unique<PrefixedSource>(std::move(head), std::move(stored)), encoding);
}

}  // namespace veneer::archive
