#include "archive/layer_writer.hh"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <vector>

#include "archive/tar_writer.hh"
#include "foundation/error.hh"

namespace veneer::archive {

namespace {

constexpr int compression_level = 6;
constexpr int memory_level = 8;
constexpr int raw_window_bits = -15;
constexpr std::size_t chunk_size = 128 * 1024;
constexpr std::array<unsigned char, 10> member_header = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};

}  // namespace

/// Data goes two ways at once: as tar into one hash, as gzip members into the blob and another hash.
class LayerWriter::Implementation {
 public:
  explicit Implementation(ByteSink& blob) : blob_(blob), buffer_(chunk_size), compressed_(chunk_size) {
    if (deflateInit2(&deflate_, compression_level, Z_DEFLATED, raw_window_bits, memory_level, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
      throw Error(ErrorKind::failed, "zlib cannot be set up");
    }
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;
  ~Implementation() { deflateEnd(&deflate_); }

  void add(const TarEntry& entry, const Content* content) {
    TarEntry sized = entry;
    sized.size = content == nullptr ? 0 : content->size();
    if ((entry.type == EntryType::file) != (content != nullptr)) {
      throw Error(ErrorKind::failed, fmt::format("{}: files have contents, nothing else has", printable(entry.path)));
    }
    Bytes head(pending_padding_);
    append(head, tar_header(sized));
    begin_member();
    tar(head);
    if (content == nullptr || content->size() == 0) {
      if (content != nullptr) check_empty(*content);
      deflate_piece(head, Z_FINISH);
    } else if (auto deflated = content->deflated()) {
      deflate_piece(head, Z_SYNC_FLUSH);  // ends at a byte boundary, where the copied stream goes on
      copy_stream(*deflated);
      read_data(*content, &deflated->crc32);
    } else {
      deflate_piece(head, Z_NO_FLUSH);
      compress_data(*content);
    }
    end_member();
    pending_padding_ = tar_padding(sized.size);
  }

  WrittenLayer finish() {
    const Bytes end(pending_padding_ + tar_end_size);
    begin_member();
    tar(end);
    deflate_piece(end, Z_FINISH);
    end_member();
    return {{tar_hash_.finish()}, tar_size_, {blob_hash_.finish()}, blob_size_};
  }

 private:
  void put(ByteView bytes) {
    blob_hash_.update(bytes);
    blob_size_ += bytes.size();
    blob_.write(bytes);
  }

  /// Bytes of the tar: hashed and counted, for the member too.
  void tar(ByteView bytes) {
    tar_hash_.update(bytes);
    tar_size_ += bytes.size();
    member_size_ += bytes.size();
    member_crc_ = crc32_z(member_crc_, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  }

  void begin_member() {
    deflateReset(&deflate_);
    member_crc_ = 0;
    member_size_ = 0;
    put(std::as_bytes(std::span(member_header)));
  }

  void end_member() {
    Bytes trailer;
    append_little_endian<std::uint32_t>(trailer, static_cast<std::uint32_t>(member_crc_));
    append_little_endian<std::uint32_t>(trailer, static_cast<std::uint32_t>(member_size_));
    put(trailer);
  }

  void deflate_piece(ByteView bytes, int flush) {
    deflate_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
    deflate_.avail_in = static_cast<uInt>(bytes.size());
    for (;;) {
      deflate_.next_out = reinterpret_cast<Bytef*>(compressed_.data());
      deflate_.avail_out = static_cast<uInt>(compressed_.size());
      const int result = deflate(&deflate_, flush);
      if (result == Z_STREAM_ERROR) throw Error(ErrorKind::failed, "zlib failed");
      put(ByteView(compressed_).first(compressed_.size() - deflate_.avail_out));
      if (flush == Z_FINISH ? result == Z_STREAM_END : deflate_.avail_out != 0) return;
    }
  }

  static void check_empty(const Content& content) {
    std::array<std::byte, 1> byte{};
    if (content.open()->read(byte) != 0) throw_wrong_size(content);
  }
  [[noreturn]] static void throw_wrong_size(const Content& content) {
    throw Error(ErrorKind::verification,
                fmt::format("the data is not {} bytes long, as it was when the layer was begun", content.size()));
  }

  /// Calls `use` with the data in pieces of chunk_size, the last one shorter, whatever pieces the source gives.
  template <typename Use>
  void in_pieces(const Content& content, const Use& use) {
    const auto source = content.open();
    std::uint64_t rest = content.size();
    for (;;) {
      const std::size_t count = read_full(*source, buffer_);
      if (count > rest) throw_wrong_size(content);
      rest -= count;
      if (count > 0) use(ByteView(buffer_).first(count));
      if (count < buffer_.size()) break;
    }
    if (rest != 0) throw_wrong_size(content);
  }

  void compress_data(const Content& content) {
    in_pieces(content, [&](ByteView piece) {
      tar(piece);
      deflate_piece(piece, Z_NO_FLUSH);
    });
    deflate_piece({}, Z_FINISH);
  }

  /// Hashes the data of a member whose compressed form is there already, which must be of the same data. The CRC of
  /// the wheel is of the data alone, gzip's of the header too: combined from both, no byte is read twice.
  void read_data(const Content& content, const std::uint32_t* expected_crc) {
    const uLong head_crc = member_crc_;
    member_crc_ = 0;
    in_pieces(content, [&](ByteView piece) { tar(piece); });
    if (member_crc_ != *expected_crc) {
      throw Error(ErrorKind::refused, "the deflated data is not the data that the file has");
    }
    member_crc_ = crc32_combine(head_crc, member_crc_, static_cast<z_off_t>(content.size()));
  }

  void copy_stream(DeflatedData& deflated) {
    std::uint64_t rest = deflated.stream_size;
    while (const std::size_t count = deflated.stream->read(buffer_)) {
      if (count > rest) break;
      rest -= count;
      put(ByteView(buffer_).first(count));
    }
    if (rest != 0) throw Error(ErrorKind::refused, "the deflated data does not have the size that it was said to have");
  }

  ByteSink& blob_;
  z_stream deflate_{};
  std::vector<std::byte> buffer_;
  std::vector<std::byte> compressed_;
  Sha256 tar_hash_;
  Sha256 blob_hash_;
  std::uint64_t tar_size_ = 0;
  std::uint64_t blob_size_ = 0;
  std::uint64_t member_size_ = 0;
  uLong member_crc_ = 0;
  std::size_t pending_padding_ = 0;
};

LayerWriter::LayerWriter(ByteSink& blob) : implementation_(std::make_unique<Implementation>(blob)) {}
LayerWriter::~LayerWriter() = default;
void LayerWriter::add(const TarEntry& entry, const Content* content) { implementation_->add(entry, content); }
WrittenLayer LayerWriter::finish() { return implementation_->finish(); }

}  // namespace veneer::archive
