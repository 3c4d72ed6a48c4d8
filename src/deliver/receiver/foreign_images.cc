#include "deliver/receiver/foreign_images.hh"

#include <cstddef>
#include <map>

namespace veneer::deliver {

namespace {
constexpr std::size_t most_images_to_look_into = 4;
}

std::vector<KnownImage*> images_to_look_into(Inventory& inventory, const Question& question, std::uint64_t least) {
  std::map<DiffId, std::uint64_t> open;
  for (const image::Layer& layer : question.layers) open[layer.diff_id] = layer.size;
  for (const KnownImage& image : inventory.images) {
    if (!image.blobs) continue;
    for (const DiffId& diff_id : image.diff_ids) open.erase(diff_id);
  }
  std::vector<KnownImage*> images;
  for (KnownImage& image : inventory.images) {
    std::uint64_t bytes = 0;
    for (const DiffId& diff_id : image.diff_ids) {
      if (const auto found = open.find(diff_id); found != open.end()) bytes += found->second;
    }
    if (bytes < least) continue;
    for (const DiffId& diff_id : image.diff_ids) open.erase(diff_id);
    images.push_back(&image);
    if (images.size() == most_images_to_look_into) break;
  }
  return images;
}

}  // namespace veneer::deliver
