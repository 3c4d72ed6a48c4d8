// A file's data of which only size and hash are kept. Made where images are inspected; comparing trees and listing
// them needs no more. Immutable, thread-safe.
#pragma once

#include <map>

#include "archive/content.hh"
#include "foundation/digest.hh"

namespace veneer::tree {

class HashedContent : public archive::Content {
 public:
  HashedContent(std::uint64_t size, const Hash& sha256) : size_(size), sha256_(sha256) {}
  std::uint64_t size() const override { return size_; }
  const Hash& sha256() const { return sha256_; }
  /// Always an Error (failed): the data is not here.
  std::unique_ptr<ByteSource> open() const override;

 private:
  std::uint64_t size_;
  Hash sha256_;
};

/// SHA-256 of `content`: as kept, or by reading it.
Hash content_hash(const archive::Content& content);

/// Compares contents, reading each at most once. The contents must outlive it. Belongs to one thread.
class ContentComparer {
 public:
  bool same(const archive::Content& left, const archive::Content& right);

 private:
  const Hash& hash(const archive::Content& content);
  std::map<const archive::Content*, Hash> known_;
};

}  // namespace veneer::tree
