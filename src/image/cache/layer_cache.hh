// Layers that were made before, by key, and their blobs by digest. Lies in the user's cache folder. Safe for several
// processes at once: entries appear whole or not at all. What is damaged is not there (KeptFiles).
//
//   <folder>/layers/<key>.json          diff ID, blob digest, sizes of the layer with that key
//   <folder>/blobs/sha256/<hex>         blobs
//   <folder>/notes/<kind>/<key>.note    small facts that are costly to find out, kept by their key
//   <folder>/tmp                        TemporaryFolders of those who fill the others
//   <folder>/known/<hex>                which files have which hash, see KeptFiles
//   <folder>/lock                       shared by builds, exclusive for prune()
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "archive/layer_writer.hh"
#include "foundation/digest.hh"
#include "foundation/file.hh"
#include "foundation/kept_files.hh"
#include "image/blobs.hh"
#include "image/image.hh"

namespace veneer::image {

/// Bytes of a note.
inline constexpr std::uint64_t largest_note = std::uint64_t{256} << 20;

struct CachedLayer {
  Layer layer;
  std::uint64_t tar_size = 0;
};

class LayerCache : public Blobs {
 public:
  /// Makes the folders when missing and removes what killed processes left in tmp. Holds the shared lock while it
  /// lives. `on_damage` hears of what is damaged here.
  explicit LayerCache(std::filesystem::path folder, OnDamage on_damage = {});

  /// The layer with `key`, when it and its blob are here, whole. Marks it as used.
  std::optional<CachedLayer> find(const LayerKey& key) const;

  /// Makes the layer with `key`: `make` writes it into the sink and returns what LayerWriter::finish() returned. The
  /// blob is stored first, then the entry; a crash in between leaves a blob without entry, which prune() removes.
  /// Whoever makes the same layer at the same time, each entry names the blob of its own maker.
  CachedLayer store(const LayerKey& key, const std::function<archive::WrittenLayer(ByteSink& blob)>& make) const;

  /// Gives a layer that is here another key.
  void add_key(const LayerKey& key, const CachedLayer& layer) const;

  bool contains(const BlobDigest& digest) const override;
  /// A blob that turns out to be damaged while it is read is looked at again by the next find().
  std::unique_ptr<ByteSource> open(const BlobDigest& digest) const override;
  std::optional<std::filesystem::path> path(const BlobDigest& digest) const override;

  /// A note kept under `kind` (a plain word) and `key`; nothing when there is none.
  std::optional<std::string> note(std::string_view kind, const LayerKey& key) const;
  void set_note(std::string_view kind, const LayerKey& key, std::string_view text) const;

  const std::filesystem::path& folder() const { return folder_; }
  /// What other parts of the cache folder are kept by.
  const std::shared_ptr<const KeptFiles>& files() const { return files_; }

 private:
  std::filesystem::path folder_;
  std::shared_ptr<const KeptFiles> files_;
  FileLock lock_;
};

/// The entry at `path`. Nothing when there is none, or (reported to `files`) when it is damaged.
std::optional<CachedLayer> read_layer_entry(const std::filesystem::path& path, const KeptFiles& files);

}  // namespace veneer::image
