// The archive that a delivery plan sends: never stored, made as it is read, from any byte on, with the same bytes each
// time. Thread-safe for reading.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "deliver/delivery_plan.hh"
#include "foundation/digest.hh"
#include "foundation/stream.hh"
#include "image/blobs.hh"
#include "image/image.hh"
#include "image/reference.hh"

namespace veneer::deliver {

class SentArchive {
 public:
  /// `blobs` must outlive the archive. Throws not_found when it lacks a layer that travels.
  SentArchive(const image::SealedImage& sealed, const DeliveryPlan& plan, const image::Blobs& blobs,
              std::vector<image::Reference> names);

  std::uint64_t size() const { return size_; }
  /// Reads everything once.
  Hash digest() const;
  /// What follows the first `offset` bytes. The archive must outlive it.
  std::unique_ptr<ByteSource> open(std::uint64_t offset = 0) const;

 private:
  image::SealedImage sent_;
  std::set<BlobDigest> included_;
  const image::Blobs& blobs_;
  std::vector<image::Reference> names_;
  std::uint64_t size_;
};

/// Passes `next` on and reports how many bytes have been read in all.
class CountedSource : public ByteSource {
 public:
  CountedSource(ByteSource& next, std::function<void(std::uint64_t)> on_progress)
      : next_(next), on_progress_(std::move(on_progress)) {}
  std::size_t read(std::span<std::byte> into) override;
  std::uint64_t count() const { return count_; }

 private:
  ByteSource& next_;
  std::uint64_t count_ = 0;
  std::function<void(std::uint64_t)> on_progress_;
};

}  // namespace veneer::deliver
