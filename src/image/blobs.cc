#include "image/blobs.hh"

#include <fmt/format.h>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "image/open_layer.hh"

namespace veneer::image {

namespace {

class BlobsOfBoth : public Blobs {
 public:
  BlobsOfBoth(std::shared_ptr<const Blobs> first, std::shared_ptr<const Blobs> second)
      : first_(std::move(first)), second_(std::move(second)) {}
  bool contains(const BlobDigest& digest) const override {
    return first_->contains(digest) || second_->contains(digest);
  }
  bool is_here(const BlobDigest& digest) const override { return having(digest).is_here(digest); }
  void bring(const std::set<BlobDigest>& digests) const override {
    std::set<BlobDigest> of_first;
    std::set<BlobDigest> of_second;
    for (const BlobDigest& digest : digests) (first_->contains(digest) ? of_first : of_second).insert(digest);
    first_->bring(of_first);
    second_->bring(of_second);
  }
  std::unique_ptr<ByteSource> open(const BlobDigest& digest) const override { return having(digest).open(digest); }
  std::optional<std::filesystem::path> path(const BlobDigest& digest) const override {
    return having(digest).path(digest);
  }

 private:
  const Blobs& having(const BlobDigest& digest) const { return first_->contains(digest) ? *first_ : *second_; }

  std::shared_ptr<const Blobs> first_;
  std::shared_ptr<const Blobs> second_;
};

/// Passes bytes on; at their end, or as soon as there are too many, compares with the size and, when given, the hash.
class VerifiedSource : public ByteSource {
 public:
  VerifiedSource(std::unique_ptr<ByteSource> source, std::optional<Hash> expected, std::uint64_t size, std::string name)
      : source_(std::move(source)), expected_(expected), size_(size), name_(std::move(name)) {}

  std::size_t read(std::span<std::byte> into) override {
    if (is_done_) return 0;
    const std::size_t count = source_->read(into);
    if (count == 0) {
      finish();
      return 0;
    }
    if (count > size_ - count_) {
      throw Error(ErrorKind::verification, fmt::format("{} is larger than the {} bytes promised", name_, size_));
    }
    count_ += count;
    if (expected_) hash_.update(into.first(count));
    return count;
  }

 private:
  void finish() {
    is_done_ = true;
    if (size_ != no_limit && count_ != size_) {
      throw Error(ErrorKind::verification, fmt::format("{} has {} bytes, not the {} promised", name_, count_, size_));
    }
    if (!expected_) return;
    if (const Hash found = hash_.finish(); found != *expected_) {
      throw Error(ErrorKind::verification, fmt::format("{} has the content of sha256:{}", name_, found.hex()));
    }
  }

  std::unique_ptr<ByteSource> source_;
  std::optional<Hash> expected_;
  std::uint64_t size_;
  std::string name_;
  Sha256 hash_;
  std::uint64_t count_ = 0;
  bool is_done_ = false;
};

/// Says of which file an Error is.
class BlobFile : public ByteSource {
 public:
  BlobFile(const std::filesystem::path& path, const BlobDigest& digest, std::string hint,
           std::function<void()> on_damage)
      : path_(path), hint_(std::move(hint)), on_damage_(std::move(on_damage)) {
    annotated([&] { source_ = verify_blob(std::make_unique<File>(path), digest); });
  }

  std::size_t read(std::span<std::byte> into) override {
    std::size_t count = 0;
    annotated([&] { count = source_->read(into); });
    return count;
  }

 private:
  template <typename Action>
  void annotated(const Action& action) {
    try {
      action();
    } catch (Error& error) {
      if (on_damage_) on_damage_();
      error.add_context("reading " + printable(path_.native()));
      if (error.hint().empty()) error.set_hint(hint_);
      throw;
    }
  }

  std::filesystem::path path_;
  std::string hint_;
  std::function<void()> on_damage_;
  std::unique_ptr<ByteSource> source_;
};

/// Blobs verifies the digest itself; here the size is what is left to check.
std::unique_ptr<ByteSource> open_sized(const Blobs& blobs, const BlobDigest& digest, std::uint64_t size) {
  return std::make_unique<VerifiedSource>(blobs.open(digest), std::nullopt, size, "blob " + digest.text());
}

}  // namespace

std::shared_ptr<const Blobs> blobs_of_both(std::shared_ptr<const Blobs> first, std::shared_ptr<const Blobs> second) {
  return std::make_shared<BlobsOfBoth>(std::move(first), std::move(second));
}

std::unique_ptr<ByteSource> verify_blob(std::unique_ptr<ByteSource> source, const BlobDigest& digest,
                                        std::uint64_t size) {
  return std::make_unique<VerifiedSource>(std::move(source), digest.hash, size, "blob " + digest.text());
}

std::unique_ptr<ByteSource> open_blob_file(const std::filesystem::path& path, const BlobDigest& digest,
                                           std::string hint, std::function<void()> on_damage) {
  return std::make_unique<BlobFile>(path, digest, std::move(hint), std::move(on_damage));
}

std::unique_ptr<ByteSource> open_layer(const Blobs& blobs, const Layer& layer) {
  auto stored = open_sized(blobs, layer.blob, layer.size);
  return std::make_unique<VerifiedSource>(archive::open_encoded(std::move(stored), layer.encoding), layer.diff_id.hash,
                                          no_limit, "the layer with diff ID " + layer.diff_id.text());
}

void read_layer(const Blobs& blobs, const Layer& layer, const std::function<void(ByteSource& tar)>& read) {
  CountingSink rest;
  try {
    const auto tar = open_layer(blobs, layer);
    read(*tar);
    copy(*tar, rest);
  } catch (const Error&) {
    copy(*open_blob(blobs, layer), rest);
    throw;
  }
}

std::unique_ptr<ByteSource> open_blob(const Blobs& blobs, const Layer& layer) {
  return open_sized(blobs, layer.blob, layer.size);
}

std::string read_small_blob(const Blobs& blobs, const BlobDigest& digest, std::uint64_t size) {
  if (size > small_blob_limit) {
    throw Error(ErrorKind::refused, fmt::format("the document {} has {} bytes; more than {} are not accepted",
                                                digest.text(), size, small_blob_limit));
  }
  const auto source = open_sized(blobs, digest, size);
  const Bytes bytes = read_all(*source, small_blob_limit);
  return std::string(as_text(bytes));
}

}  // namespace veneer::image
