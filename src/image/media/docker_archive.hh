// A tar file that holds images: what `docker save`, `podman save` and veneer write, in all their forms. Its
// headers are read once, then any blob can be opened at once; layers are read when they are asked for. Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/stream.hh"
#include "image/blobs.hh"
#include "image/image.hh"
#include "image/media/archive_members.hh"
#include "image/media/stored_image.hh"

namespace veneer::image {

class DockerArchive : public Blobs {
 public:
  /// Scans `file` (an uncompressed tar). Throws Error (refused) for anything that is neither an OCI layout in a tar nor
  /// Docker's form, and for what is malformed or leads out of the archive.
  explicit DockerArchive(std::shared_ptr<const RandomAccess> file);
  /// The same for a file on disk, which gzip or zstd may have compressed; not_found when it is missing.
  static DockerArchive open(const std::filesystem::path& file);

  /// The image that `request` names; several without a name are an Error that lists them. Where the archive has both an
  /// OCI index and a manifest.json, the index is read and the other must list an image with the same configuration.
  /// An image of Docker's own form has no manifest: it gets one that names its layers as they are in the archive.
  SealedImage read(const ImageRequest& request) const;

  /// All names that its manifest.json gives to images.
  std::vector<std::string> names() const;

  /// Of its index, or nothing.
  std::optional<std::string> annotation(std::string_view key) const;

  bool contains(const BlobDigest& digest) const override;
  std::unique_ptr<ByteSource> open(const BlobDigest& digest) const override;

 private:
  /// An entry of manifest.json.
  struct Listed {
    std::string config;
    std::vector<std::string> names;
    std::vector<std::string> layers;
  };

  void read_docker_manifest();
  Layer find_layer(const std::string& name, const DiffId& diff_id);
  SealedImage make_image_of(const Listed& listed);
  std::size_t select(const ImageRequest& request) const;

  ArchiveMembers members_;
  std::vector<Listed> listed_;
  std::vector<SealedImage> images_;              // of listed_, only where there is no OCI index
  std::map<BlobDigest, std::string> by_digest_;  // layers of Docker's form, by what they turned out to be
};

}  // namespace veneer::image
