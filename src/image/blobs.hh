// Where the bytes of layers come from. Implementations: media/ (layouts, archives), cache/. Thread-safe for reading.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "foundation/digest.hh"
#include "foundation/stream.hh"

namespace veneer::image {

class Blobs {
 public:
  virtual ~Blobs() = default;
  virtual bool contains(const BlobDigest& digest) const = 0;
  /// Whether it can be opened without being fetched from another machine.
  virtual bool is_here(const BlobDigest& digest) const { return contains(digest); }
  /// Fetches those of `digests` that are not here and would be fetched one by one by open(), several at once.
  virtual void bring(const std::set<BlobDigest>& /*digests*/) const {}
  /// Reads a blob; not_found when it is not here. The reader verifies the digest at the end (verification).
  virtual std::unique_ptr<ByteSource> open(const BlobDigest& digest) const = 0;
  /// A file that holds exactly this blob, when there is one: it may be hard-linked, never changed.
  virtual std::optional<std::filesystem::path> path(const BlobDigest& /*digest*/) const { return std::nullopt; }
};

/// The blobs of two places; what both have comes from `first`.
std::shared_ptr<const Blobs> blobs_of_both(std::shared_ptr<const Blobs> first, std::shared_ptr<const Blobs> second);

/// A reader that throws Error (verification) at the end of `source` unless its bytes have `digest` and, when not
/// no_limit, exactly `size` bytes; never gives more than `size` bytes.
std::unique_ptr<ByteSource> verify_blob(std::unique_ptr<ByteSource> source, const BlobDigest& digest,
                                        std::uint64_t size = no_limit);

/// The blob in the file `path`, verified so. Errors name the file and have `hint`, what makes it whole again; before
/// such an Error passes, `on_damage` is called, if given.
std::unique_ptr<ByteSource> open_blob_file(const std::filesystem::path& path, const BlobDigest& digest,
                                           std::string hint, std::function<void()> on_damage = {});

}  // namespace veneer::image
