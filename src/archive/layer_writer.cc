#include "archive/layer_writer.hh"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <utility>
#include <vector>

#include "archive/canonical_deflate.hh"
#include "archive/compression.hh"
#include "archive/isal.hh"
#include "archive/tar_writer.hh"
#include "foundation/error.hh"

namespace veneer::archive {

namespace {

constexpr std::size_t chunk_size = 128 * 1024;

}  // namespace

/// Data goes two ways at once: as tar into one hash, as gzip members into the blob and another hash.
class LayerWriter::Implementation {
 public:
  explicit Implementation(ByteSink& blob) : blob_(blob), buffer_(chunk_size) {}

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
      compress(head, End::stream);
    } else if (auto deflated = content->deflated()) {
      compress(head, End::byte_boundary);  // ends at a byte boundary, where the copied stream goes on
      copy_deflated(*content, *deflated);
    } else {
      compress(head, End::more_follows);
      compress_data(*content);
    }
    end_member();
    pending_padding_ = tar_padding(sized.size);
  }

  WrittenLayer finish() {
    const Bytes end(pending_padding_ + tar_end_size);
    begin_member();
    tar(end);
    compress(end, End::stream);
    end_member();
    flush();
    return {{tar_hash_.finish()}, tar_size_, {blob_hash_.finish()}, blob_size_};
  }

 private:
  using End = CanonicalDeflate::End;

  /// Bytes of the blob. Small pieces are gathered: a member is five of them.
  void put(ByteView bytes) {
    if (bytes.size() > chunk_size - pending_.size()) flush();
    if (pending_.empty() && bytes.size() >= chunk_size / 2) {
      put_now(bytes);
    } else {
      append(pending_, bytes);
    }
  }
  void flush() {
    put_now(pending_);
    pending_.clear();
  }
  void put_now(ByteView bytes) {
    blob_hash_.update(bytes);
    blob_size_ += bytes.size();
    blob_.write(bytes);
  }

  /// Bytes of the tar: hashed (and by `also`, if there is one) and counted, for the member too.
  void tar(ByteView bytes, Sha256* also = nullptr) {
    tar_hash_.update(bytes);
    if (also != nullptr) also->update(bytes);
    tar_size_ += bytes.size();
    member_size_ += bytes.size();
    member_crc_ = crc32_of(member_crc_, bytes);
  }

  void begin_member() {
    deflate_.restart();
    member_crc_ = 0;
    member_size_ = 0;
    put(std::as_bytes(std::span(gzip_member_header)));
  }

  void end_member() {
    Bytes trailer;
    append_little_endian<std::uint32_t>(trailer, member_crc_);
    append_little_endian<std::uint32_t>(trailer, static_cast<std::uint32_t>(member_size_));
    put(trailer);
  }

  void compress(ByteView bytes, End end) {
    deflate_.add(bytes, end, [this](ByteView compressed) { put(compressed); });
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
  void in_pieces(const Content& content, ByteSource& source, const Use& use) {
    std::uint64_t rest = content.size();
    for (;;) {
      const std::size_t count = read_full(source, buffer_);
      if (count > rest) throw_wrong_size(content);
      rest -= count;
      if (count > 0) use(ByteView(buffer_).first(count));
      if (count < buffer_.size()) break;
    }
    if (rest != 0) throw_wrong_size(content);
  }

  void compress_data(const Content& content) {
    in_pieces(content, *content.open(), [&](ByteView piece) {
      tar(piece);
      compress(piece, End::more_follows);
    });
    compress({}, End::stream);
  }

  /// Passes a deflate stream on, which must be as long as it was said to be, and puts it into the blob.
  class CopiedStream : public ByteSource {
   public:
    CopiedStream(Implementation& writer, DeflatedData& deflated)
        : writer_(writer), stream_(*deflated.stream), rest_(deflated.stream_size) {}
    std::size_t read(std::span<std::byte> into) override {
      const std::size_t count = stream_.read(into);
      if (count > rest_ || (count == 0 && rest_ != 0)) {
        throw Error(ErrorKind::refused, "the deflated data does not have the size that it was said to have");
      }
      rest_ -= count;
      writer_.put(ByteView(into).first(count));
      return count;
    }

   private:
    Implementation& writer_;
    ByteSource& stream_;
    std::uint64_t rest_;
  };

  /// Where a stream is not what it should be, open() has the better words for it.
  static void read_through(const Content& content) {
    CountingSink nowhere;
    copy(*content.open(), nowhere);
  }

  /// Copies the compressed form that is there already, which must be of the data that `content` has.
  void copy_deflated(const Content& content, DeflatedData& deflated) {
    auto stream = std::make_unique<CopiedStream>(*this, deflated);
    const std::uint32_t head_crc = std::exchange(member_crc_, 0);
    bool is_the_data = true;
    if (deflated.sha256 || deflated.was_verified) {
      Sha256 hash;
      Sha256* const wanted = deflated.was_verified ? nullptr : &hash;
      try {
        in_pieces(content, *open_deflate(std::move(stream)), [&](ByteView piece) { tar(piece, wanted); });
      } catch (const Error&) {
        read_through(content);
        throw;
      }
      if (wanted != nullptr) is_the_data = hash.finish() == *deflated.sha256;
    } else {
      while (stream->read(buffer_) != 0) continue;
      in_pieces(content, *content.open(), [&](ByteView piece) { tar(piece); });
    }
    if (!is_the_data || member_crc_ != deflated.crc32) {
      read_through(content);
      throw Error(ErrorKind::refused, "the deflated data is not the data that the file has");
    }
    const auto size = static_cast<z_off_t>(content.size());
    member_crc_ = static_cast<std::uint32_t>(crc32_combine(head_crc, member_crc_, size));
  }

  ByteSink& blob_;
  CanonicalDeflate deflate_;
  std::vector<std::byte> buffer_;
  Bytes pending_;  // of the blob, not yet hashed and written
  Sha256 tar_hash_;
  Sha256 blob_hash_;
  std::uint64_t tar_size_ = 0;
  std::uint64_t blob_size_ = 0;
  std::uint64_t member_size_ = 0;
  std::uint32_t member_crc_ = 0;
  std::size_t pending_padding_ = 0;
};

LayerWriter::LayerWriter(ByteSink& blob) : implementation_(std::make_unique<Implementation>(blob)) {}
LayerWriter::~LayerWriter() = default;
void LayerWriter::add(const TarEntry& entry, const Content* content) { implementation_->add(entry, content); }
WrittenLayer LayerWriter::finish() { return implementation_->finish(); }

}  // namespace veneer::archive
