#include "deliver/inventory.hh"

#include <algorithm>

namespace veneer::deliver {

std::string_view receiver_kind_name(ReceiverKind kind) {
  switch (kind) {
    case ReceiverKind::prefix: return "prefix";
    case ReceiverKind::blobs: return "blobs";
    case ReceiverKind::diff_ids: return "diff_ids";
  }
  return "";
}

Hash image_id_on(ReceiverKind kind, const image::SealedImage& sealed) {
  return kind == ReceiverKind::blobs ? sealed.manifest_digest.hash : sealed.config_digest.hash;
}

const KnownImage* find_same_image(const Inventory& inventory, const image::SealedImage& sealed) {
  const Hash id = image_id_on(inventory.kind, sealed);
  const auto found = std::ranges::find(inventory.images, id, &KnownImage::id);
  return found == inventory.images.end() ? nullptr : &*found;
}

std::string display_name(const KnownImage& image) {
  return image.names.empty() ? "image " + image.id.hex().substr(0, 12) : image.names.front();
}

}  // namespace veneer::deliver
