// Where the bytes of layers come from. Implementations: media/ (layouts, archives), cache/. Thread-safe for reading.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "foundation/digest.hh"
#include "foundation/stream.hh"

namespace veneer::image {

class Blobs {
 public:
  virtual ~Blobs() = default;
  virtual bool contains(const BlobDigest& digest) const = 0;
  /// Reads a blob; not_found when it is not here. The reader verifies the digest at the end (verification).
  virtual std::unique_ptr<ByteSource> open(const BlobDigest& digest) const = 0;
  /// A file that holds exactly this blob, when there is one: it may be hard-linked, never changed.
  virtual std::optional<std::filesystem::path> path(const BlobDigest& /*digest*/) const { return std::nullopt; }
};

/// A reader that throws Error (verification) at the end of `source` unless its bytes have `digest` and, when not
/// no_limit, exactly `size` bytes; never gives more than `size` bytes.
std::unique_ptr<ByteSource> verify_blob(std::unique_ptr<ByteSource> source, const BlobDigest& digest,
                                        std::uint64_t size = no_limit);

}  // namespace veneer::image
