// A base as files on this machine, for running its programs. Thread-safe; several processes may share the cache.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "base/base.hh"
#include "foundation/kept_files.hh"

namespace veneer::base {

/// The merged tree of the base's layers, each read once and compared with its diff ID; contents are files in `staging`,
/// which must outlive it.
tree::FileTree stage(const Base& base, const std::filesystem::path& staging);

/// A layer, and what its blob is read from.
struct PlacedLayer {
  const image::Layer* layer;
  const image::Blobs* blobs;
};

/// The same of any layers, from the bottom up. `on_layer`, if given, is called before each with its index.
tree::FileTree stage(const std::vector<PlacedLayer>& layers, const std::filesystem::path& staging,
                     const std::function<void(std::size_t)>& on_layer = {});

/// The folder below `cache_folder` that holds the base's merged tree: made when it is not there yet, under another name
/// that is renamed at the end. Files keep their contents and permission bits, links their targets; owners are whoever
/// runs this, times are now; set-user-ID bits, devices and pipes are left out. Layers are compared with their diff IDs.
/// Nothing is ever written through a link of the base.
/// A root in which a file is not as it was unpacked is reported to `files` and unpacked anew.
std::filesystem::path unpacked_root(const Base& base, const std::filesystem::path& cache_folder,
                                    const KeptFiles& files);

}  // namespace veneer::base
