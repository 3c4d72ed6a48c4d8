// Blobs and manifests of registries in the cache, by digest; a download that was cut off goes on where it stopped, in
// another process too. Thread-safe; processes may share the folder.
//
//   <cache>/registry-blobs/<hex>          a blob, an index or a manifest
//   <cache>/registry-blobs/.<hex>.part    one that is coming in, with a lock
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "foundation/digest.hh"
#include "foundation/kept_files.hh"
#include "registry/registries.hh"

namespace veneer::registry {

class KeptBlobs {
 public:
  explicit KeptBlobs(const std::filesystem::path& cache);

  /// The blob's file, when it is there and whole.
  std::optional<std::filesystem::path> find(const Hash& digest) const;

  /// The blob's file, fetched from the first of `sources` that gives it when it is not here. `on_bytes` hears how many
  /// came. Throws Error: verification for what has another digest or size, not_found, network.
  std::filesystem::path get(const BlobDigest& digest, std::uint64_t size, Registries& registries,
                            const std::vector<Source>& sources,
                            const std::function<void(std::int64_t)>& on_bytes = {}) const;

  /// A document that was kept; nothing when there is none.
  std::optional<std::string> document(const Hash& digest) const;
  void keep_document(const Hash& digest, std::string_view text) const;

 private:
  std::filesystem::path folder_;
  std::shared_ptr<const KeptFiles> files_;
};

}  // namespace veneer::registry
