// SHA-256 and the kinds of digest that must never be mixed up: an engine that keys by one of them silently breaks
// when given another. Values; a Sha256 in progress belongs to one thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "foundation/bytes.hh"
#include "foundation/stream.hh"

namespace veneer {

/// The 32 bytes of a SHA-256, of something.
struct Hash {
  std::array<std::byte, 32> bytes{};

  auto operator<=>(const Hash&) const = default;
  /// 64 lower-case hexadecimal digits.
  std::string hex() const;
  /// Exactly 64 hexadecimal digits (lower case only), else nothing.
  static std::optional<Hash> from_hex(std::string_view text);
};

/// Incremental SHA-256 (FIPS 180-4, by OpenSSL).
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();
  void update(ByteView bytes);
  void update(std::string_view text) { update(as_bytes(text)); }
  /// The hash of everything so far; the object may not be used afterwards.
  Hash finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

/// Adds the length of `text` and then `text`, so that no two lists of fields are the same bytes.
void add_field(Sha256& hash, std::string_view text);

Hash sha256(ByteView bytes);
inline Hash sha256(std::string_view text) { return sha256(as_bytes(text)); }
/// Reads `source` to its end.
Hash sha256(ByteSource& source);

/// "sha512:<hex>" of everything in `source`: for files whose lock uses another algorithm than SHA-256. Nothing for an
/// algorithm other than md5, sha384, sha512 and blake2b.
std::optional<std::string> digest_text(std::string_view algorithm, ByteSource& source);

/// A hash of one particular kind of thing. Different kinds do not convert into each other.
template <typename Kind>
struct Digest {
  Hash hash;

  auto operator<=>(const Digest&) const = default;
  std::string hex() const { return hash.hex(); }
  /// As the OCI image specification writes it: "sha256:<hex>".
  std::string text() const { return "sha256:" + hash.hex(); }
  /// Reads "sha256:<hex>". Throws Error (refused) that names `text`, and the algorithm when it is another one.
  static Digest parse(std::string_view text);
};

namespace detail {
Hash parse_digest(std::string_view text);
}
template <typename Kind>
Digest<Kind> Digest<Kind>::parse(std::string_view text) {
  return {detail::parse_digest(text)};
}

using DiffId = Digest<struct DiffIdKind>;            // the uncompressed tar of a layer
using BlobDigest = Digest<struct BlobKind>;          // a blob as stored or sent (often compressed)
using ChainId = Digest<struct ChainIdKind>;          // a layer and all layers below it
using ConfigDigest = Digest<struct ConfigKind>;      // an image configuration
using ManifestDigest = Digest<struct ManifestKind>;  // a manifest or an index
using LayerKey = Digest<struct LayerKeyKind>;        // everything that decides a layer's bytes
using FileHash = Digest<struct FileHashKind>;        // a downloaded file, such as a wheel

/// Passes bytes on and hashes them.
class HashingSink : public ByteSink {
 public:
  explicit HashingSink(ByteSink& next) : next_(next) {}
  void write(ByteView bytes) override {
    hash_.update(bytes);
    count_ += bytes.size();
    next_.write(bytes);
  }
  void commit() override { next_.commit(); }
  std::uint64_t count() const { return count_; }
  Hash finish() { return hash_.finish(); }

 private:
  ByteSink& next_;
  Sha256 hash_;
  std::uint64_t count_ = 0;
};

/// Hashes what is read through it.
class HashingSource : public ByteSource {
 public:
  explicit HashingSource(ByteSource& source) : source_(source) {}
  std::size_t read(std::span<std::byte> into) override {
    const std::size_t count = source_.read(into);
    hash_.update(ByteView(into).first(count));
    return count;
  }
  Hash finish() { return hash_.finish(); }

 private:
  ByteSource& source_;
  Sha256 hash_;
};

}  // namespace veneer
