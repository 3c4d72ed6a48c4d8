// What an image stands on: layers that are there before anything of the project, with the files in them. Made by
// debian.hh and image_base.hh. A value; reading its tree from several threads is fine.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/base_files.hh"
#include "base/base_lock.hh"
#include "base/installed_packages.hh"
#include "foundation/digest.hh"
#include "image/blobs.hh"
#include "image/cache/layer_cache.hh"
#include "image/image.hh"
#include "tree/file_tree.hh"

namespace veneer::base {

struct Base {
  std::string name;                  // "debian:bookworm", "oci:base:v1"
  std::vector<image::Layer> layers;  // bottom to top
  image::RunConfig config;
  std::shared_ptr<const image::Blobs> blobs;  // holds the blobs of `layers`
  /// All layers merged. A file's data is read from its layer's blob when it is opened, which costs reading that layer
  /// up to the file.
  std::shared_ptr<const BaseFiles> files = std::make_shared<BaseFiles>([] { return tree::FileTree(); });
  std::vector<InstalledPackage> packages;  // of a Debian base; with hashes as far as veneer installed them
  std::optional<Interpreter> interpreter;  // uv's, if it was added; else there is the base's own at most
  std::size_t interpreter_layer = 0;       // which of `layers` that is
  LockedImage image;                       // of a base that is an image; manifests only where they can be asked for

  /// Reads the layers, unless that was done.
  const tree::FileTree& tree() const { return files->all(); }
};

/// The files of the base's layers, as read_tree() gives them; `cache` must outlive them.
std::shared_ptr<const BaseFiles> files_of(const Base& base, const image::LayerCache* cache,
                                          std::vector<LockedFile> known = {});

/// Reads the merged tree of `layers` from `blobs`, which the contents keep alive. With a cache, the list of files is
/// kept there under the layers' diff IDs, and later calls do not read the layers. Every layer that is read is compared
/// with its diff ID: Error (verification).
tree::FileTree read_tree(const std::vector<image::Layer>& layers, const std::shared_ptr<const image::Blobs>& blobs,
                         const image::LayerCache* cache);

}  // namespace veneer::base
