// A folder that holds images: the OCI image layout (image-spec image-layout.md). Where veneer keeps what it builds, and
// a form in which images come from other tools. Reading is thread-safe; writers in any process take turns by a lock
// file in the folder, and readers see the old index or the new one. While an OciLayout lives, no other process removes
// blobs: it holds a shared lock on the file `oci-layout`, where that can be locked.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/file.hh"
#include "foundation/kept_files.hh"
#include "image/blobs.hh"
#include "image/image.hh"
#include "image/media/stored_image.hh"

namespace veneer::image {

class OciLayout : public Blobs {
 public:
  /// Opens what is there: not_found when the folder is missing, refused when it is no layout of version 1.
  static OciLayout open(std::filesystem::path folder);
  /// Opens `folder`; makes it an empty layout when it does not exist, is empty, or was left half-made.
  static OciLayout create(std::filesystem::path folder);

  /// Makes what is there as a layout of the caller's own usable: documents that are damaged are written anew, images
  /// whose documents are damaged leave the index. All are reported to `files`. Layers are left to write().
  static void mend(const std::filesystem::path& folder, const KeptFiles& files);

  /// The entries of the index, in its order.
  Index index() const;
  /// The image that `request` names; several without a name are an Error that lists them.
  SealedImage read(const ImageRequest& request) const;

  /// Adds `image` under `tag` (annotation org.opencontainers.image.ref.name), which leaves an image that had it before.
  /// Blobs that are missing come from `source`, verified: hard-linked where it has them as files on the same file
  /// system, else copied and verified. The index is replaced last, so a process that is killed leaves the old state or
  /// the new one. Throws not_found when a layer is neither here nor in `source`. `files` knows which blobs are whole;
  /// those here that are not are reported to it and replaced.
  enum class Remote { fetched, left_out };  // what becomes of layers that `source` would have to fetch
  void write(const SealedImage& image, const Blobs& source, std::string_view tag, const KeptFiles& files = KeptFiles(),
             Remote remote = Remote::fetched);

  struct Pruned {
    std::size_t blobs = 0;
    std::uint64_t bytes = 0;
  };
  /// Removes the blobs that no image of the index needs, and what killed writers left; nothing while another OciLayout
  /// of the same folder lives, in this process or any other.
  Pruned prune();

  bool contains(const BlobDigest& digest) const override;
  std::unique_ptr<ByteSource> open(const BlobDigest& digest) const override;
  std::optional<std::filesystem::path> path(const BlobDigest& digest) const override;

  const std::filesystem::path& folder() const { return folder_; }

 private:
  explicit OciLayout(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path file_of(std::string_view name) const;
  std::filesystem::path blob_path(const BlobDigest& digest) const;
  std::string read_text(std::string_view name) const;
  template <typename Parse>
  auto read_as(std::string_view name, const Parse& parse) const;
  void add_blob(const Layer& layer, const Blobs& source, const KeptFiles& files);
  void add_document(const BlobDigest& digest, std::string_view text, const KeptFiles& files);
  bool has_documents(const Descriptor& descriptor, const KeptFiles& files) const;

  std::set<std::string> needed_blobs() const;
  Pruned remove_blobs_except(const std::set<std::string>& needed);

  std::filesystem::path folder_;
  std::optional<FileLock> lock_;
};

}  // namespace veneer::image
