// Layers that were made before, by key, and their blobs by digest. Lies in the user's cache folder. Safe for several
// processes at once: entries appear whole or not at all.
//
//   <folder>/layers/<key>.json      diff ID, blob digest, sizes of the layer with that key
//   <folder>/blobs/sha256/<hex>     blobs
//   <folder>/notes/<kind>/<key>     small facts that are costly to find out, kept by their key
//   <folder>/tmp                    TemporaryFolders of those who fill the others
//   <folder>/lock                   shared by builds, exclusive for prune()
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "archive/layer_writer.hh"
#include "foundation/digest.hh"
#include "foundation/file.hh"
#include "image/blobs.hh"
#include "image/image.hh"

namespace veneer::image {

struct CachedLayer {
  Layer layer;
  std::uint64_t tar_size = 0;
};

class LayerCache : public Blobs {
 public:
  /// Makes the folders when missing and removes what killed processes left in tmp. Holds the shared lock while it
  /// lives.
  explicit LayerCache(std::filesystem::path folder);

  /// The layer with `key`, when it and its blob are here. Marks both as used.
  std::optional<CachedLayer> find(const LayerKey& key) const;

  /// Makes the layer with `key`: `make` writes it into the sink and returns what LayerWriter::finish() returned. The
  /// blob is stored first, then the entry; a crash in between leaves a blob without entry, which prune() removes.
  CachedLayer store(const LayerKey& key, const std::function<archive::WrittenLayer(ByteSink& blob)>& make) const;

  bool contains(const BlobDigest& digest) const override;
  std::unique_ptr<ByteSource> open(const BlobDigest& digest) const override;
  std::optional<std::filesystem::path> path(const BlobDigest& digest) const override;

  /// A note kept under `kind` (a plain word) and `key`; nothing when there is none.
  std::optional<std::string> note(std::string_view kind, const LayerKey& key) const;
  void set_note(std::string_view kind, const LayerKey& key, std::string_view text) const;

  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
  FileLock lock_;
};

/// What `veneer cache` shows of one part of the cache folder.
struct CacheUsage {
  std::string name;  // "layers", "blobs", "wheels", ...
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

/// Sizes of the folders in the cache, by name.
std::vector<CacheUsage> cache_usage(const std::filesystem::path& folder);

/// Removes what was not used since `before`, blobs that no remaining entry names, and leftovers of killed processes.
/// Waits for running builds. Returns what was freed.
CacheUsage prune_cache(const std::filesystem::path& folder, std::filesystem::file_time_type before);

}  // namespace veneer::image
