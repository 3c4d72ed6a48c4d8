// Writes a layer in the canonical gzip encoding: one gzip member per tar entry (header and data), in which a wheel's
// own deflate stream is copied and everything else is compressed by zlib. The bytes depend on the entries alone, so the
// blob digest is the same on every machine. docs/formats.md describes it byte by byte. A writer belongs to one thread.
#pragma once

#include <memory>

#include "archive/content.hh"
#include "archive/tar.hh"
#include "foundation/digest.hh"

namespace veneer::archive {

struct WrittenLayer {
  DiffId diff_id;
  std::uint64_t tar_size = 0;
  BlobDigest blob;
  std::uint64_t blob_size = 0;
};

class LayerWriter {
 public:
  /// `blob` receives the gzip file and must outlive the writer; it is not committed here.
  explicit LayerWriter(ByteSink& blob);
  ~LayerWriter();
  /// Appends an entry; `content` is given for files (its size() rules; TarEntry::size is ignored) and null otherwise.
  /// The caller decides the order. Memory stays bounded whatever the size of the content.
  void add(const TarEntry& entry, const Content* content);
  /// Ends the archive. To be called once.
  WrittenLayer finish();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace veneer::archive
