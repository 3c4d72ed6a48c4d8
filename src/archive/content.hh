// The data of a file, read only when it is needed. Made by readers of wheels, folders and layers; consumed by the layer
// writer and by whoever inspects a tree. Immutable; open() may be called from several threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "foundation/bytes.hh"
#include "foundation/digest.hh"
#include "foundation/file.hh"
#include "foundation/stream.hh"

namespace veneer::archive {

/// A file's data as one raw deflate stream (RFC 1951) that ends with its final block and refers to nothing before its
/// own start, as the members of zip files are stored.
struct DeflatedData {
  std::unique_ptr<ByteSource> stream;
  std::uint64_t stream_size = 0;  // bytes of `stream`
  std::uint32_t crc32 = 0;        // of the inflated data
  /// Of the inflated data, when that is known. Who inflates `stream` and finds size(), crc32 and this has verified all
  /// that open() would verify.
  std::optional<Hash> sha256 = std::nullopt;
  /// The data was compared with a hash before: now its CRC is enough.
  bool was_verified = false;
};

class Content {
 public:
  virtual ~Content() = default;
  /// Bytes that open() gives, exactly.
  virtual std::uint64_t size() const = 0;
  /// A fresh reader from the start. Its data is verified against what is known of it (CRC, hash): an Error of kind
  /// verification or refused comes before or at the end, never after.
  virtual std::unique_ptr<ByteSource> open() const = 0;
  /// The same data in deflated form, when it is at hand without compressing. The stream is not verified by itself: the
  /// caller does so by its sha256, or else reads open() to its end as well before it relies on it.
  virtual std::optional<DeflatedData> deflated() const { return std::nullopt; }
};

class MemoryContent : public Content {
 public:
  explicit MemoryContent(Bytes bytes) : bytes_(std::move(bytes)) {}
  explicit MemoryContent(std::string_view text) : bytes_(as_bytes(text).begin(), as_bytes(text).end()) {}
  std::uint64_t size() const override { return bytes_.size(); }
  std::unique_ptr<ByteSource> open() const override { return std::make_unique<MemorySource>(bytes_); }

 private:
  Bytes bytes_;
};

/// A piece of a file that stays as it is while this lives.
class SliceContent : public Content {
 public:
  SliceContent(std::shared_ptr<const RandomAccess> access, std::uint64_t offset, std::uint64_t length)
      : access_(std::move(access)), offset_(offset), length_(length) {}
  std::uint64_t size() const override { return length_; }
  std::unique_ptr<ByteSource> open() const override { return std::make_unique<SliceSource>(access_, offset_, length_); }

 private:
  std::shared_ptr<const RandomAccess> access_;
  std::uint64_t offset_;
  std::uint64_t length_;
};

/// A file of `size` bytes that is opened only when it is read, so that many of them hold no descriptors.
class FileContent : public Content {
 public:
  FileContent(std::filesystem::path path, std::uint64_t size) : path_(std::move(path)), size_(size) {}
  std::uint64_t size() const override { return size_; }
  std::unique_ptr<ByteSource> open() const override { return std::make_unique<File>(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::uint64_t size_;
};

}  // namespace veneer::archive
