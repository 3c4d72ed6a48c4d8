#include "deliver/upgrade.hh"

namespace veneer::deliver {

std::set<BlobDigest> layers_of_upgrade(const image::Image& image, const image::Image& held) {
  std::set<DiffId> there;
  for (const image::Layer& layer : held.layers) there.insert(layer.diff_id);
  std::set<BlobDigest> included;
  for (const image::Layer& layer : image.layers) {
    if (!there.contains(layer.diff_id)) included.insert(layer.blob);
  }
  return included;
}

}  // namespace veneer::deliver
