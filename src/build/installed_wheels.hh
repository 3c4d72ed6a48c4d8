// Wheels as they stand in the image, made once a build although two look at them: the search for overlaps, and the
// layers. Thread-safe.
#pragma once

#include <map>
#include <mutex>

#include "image/cache/layer_cache.hh"
#include "python/supply/wheel_supply.hh"
#include "python/wheel/install.hh"
#include "tree/file_tree.hh"

namespace veneer::build {

class InstalledWheels {
 public:
  InstalledWheels(python::WheelSupply& supply, const image::LayerCache& cache, python::InstallPlace place);

  /// See python::install(). The wheel must have been fetched.
  tree::FileTree make(const python::SelectedPackage& package);
  /// The next take() will want it.
  void keep(const python::SelectedPackage& package, tree::FileTree tree);
  /// What was kept, else made.
  tree::FileTree take(const python::SelectedPackage& package);

  /// All contents of the wheel were read to their ends, and so compared with RECORD: that need not be done again.
  void note_verified(const python::SelectedPackage& package);

 private:
  LayerKey verified_key(const python::SelectedPackage& package);

  python::WheelSupply& supply_;
  const image::LayerCache& cache_;
  python::InstallPlace place_;
  std::mutex mutex_;
  std::map<const python::SelectedPackage*, tree::FileTree> kept_;
};

}  // namespace veneer::build
