// Debian packages above a base, whatever made that: apt of the base itself installs them into the unpacked base, in
// namespaces or as root, and what changed is one layer. Thread-safe; several processes may share the cache.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/base.hh"
#include "base/mmdebstrap.hh"
#include "image/cache/layer_cache.hh"

namespace veneer::base {

struct PackagesRequest {
  /// Without a mirror the sources that the base has, or Debian's own where it has none. The suite is the base's.
  DebianArchive archive;
  std::vector<std::string> packages;  // "name", "name:arch" or "name=version", checked (see python::SystemOptions)
  std::vector<LockedPackage> pins;    // which versions to take of those that the archive still has
  Refresh refresh = Refresh::no;      // yes: make the layer anew, even if the cache has it
  std::filesystem::path temporary;    // an existing folder with room for the unpacked base, three times
};

/// What dpkg of `base` says is installed: Base::packages where that is filled in, else read from its layers once and
/// kept in `cache`.
std::vector<InstalledPackage> read_packages(const Base& base, const image::LayerCache& cache);

/// Those of the request's packages that `base` does not have yet, sorted, each once.
std::vector<std::string> packages_to_add(const Base& base, const PackagesRequest& request);

/// Under which the layer is cached: the base's layers, the packages to add, snapshot, apt's options, format. The mirror
/// and the machine that builds do not belong to it; nor do pins, for which the cache has a layer of its own.
LayerKey packages_key(const Base& base, const PackagesRequest& request);

/// Whether add_packages() has nothing to make.
bool has_packages(const Base& base, const PackagesRequest& request, const image::LayerCache& cache);

/// The layer that add_packages() would take from `cache`, if it has one.
std::optional<image::CachedLayer> cached_packages(const Base& base, const PackagesRequest& request,
                                                  const image::LayerCache& cache);

/// The base with one more layer, taken from `cache` or made by the base's own apt (detect_privilege() says how); the
/// base as it is when it has all packages. Base::packages is that of the result. Equal bases and archives give equal
/// bytes on every machine; logs, caches and times are as normalise_above() says. `on_line` gets what is being done.
/// Errors: refused for a base without dpkg or apt, or whose release is not known; not_found for a package that the
/// archive lacks; network; verification for a pinned package with another hash; failed with what apt said.
Base add_packages(Base base, const PackagesRequest& request, const std::shared_ptr<image::LayerCache>& cache,
                  const OnLine& on_line = {});

/// Whether packages can be added to `base`: it has dpkg and apt.
bool takes_packages(const Base& base);

/// The code name of the release of a Debian root ("bookworm"), from its os-release(5); empty when it is none.
std::string debian_suite(const tree::Lookup& root);

}  // namespace veneer::base
