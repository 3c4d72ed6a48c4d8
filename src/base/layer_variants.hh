// Layers of Debian packages that were made for one request while the archive had other versions: each is kept under the
// packages that it got, and a lock finds its own again. Internal to base. Thread-safe, as the cache is.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/base_lock.hh"
#include "base/installed_packages.hh"
#include "image/cache/layer_cache.hh"

namespace veneer::base {

/// Whether `packages` have one of `pins` in another version or with another hash.
bool contradicts(const std::vector<LockedPackage>& pins, const std::vector<InstalledPackage>& packages);

/// Throws Error (verification) that says the lock's line when a package of a pinned version has another hash.
void check_hashes(const std::vector<LockedPackage>& pins, const std::vector<InstalledPackage>& packages);

struct LayerVariant {
  image::CachedLayer layer;
  std::vector<InstalledPackage> packages;  // all that are installed with it
};

class LayerVariants {
 public:
  /// `request`: the key of what is asked for, whatever the versions.
  LayerVariants(const image::LayerCache& cache, const LayerKey& request) : cache_(cache), request_(request) {}

  /// Without pins what was taken for the request before. With pins what does not contradict them, or else what came the
  /// last time that these pins were asked for.
  std::optional<LayerVariant> find(const std::vector<LockedPackage>& pins) const;

  enum class Replace { no, yes };
  /// Keeps what was made under `pins`. What is taken without pins from now on is this where there was nothing before,
  /// and with Replace::yes.
  LayerVariant store(const std::vector<LockedPackage>& pins, std::vector<InstalledPackage> packages,
                     const std::function<archive::WrittenLayer(ByteSink& blob)>& make, Replace replace) const;

 private:
  std::optional<LayerVariant> read(const LayerKey& key) const;
  std::vector<LayerKey> known() const;
  LayerKey key_of(const std::vector<LockedPackage>& pins) const;

  const image::LayerCache& cache_;
  LayerKey request_;
};

}  // namespace veneer::base
