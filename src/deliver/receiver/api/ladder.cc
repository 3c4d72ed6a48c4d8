#include "deliver/receiver/api/ladder.hh"

namespace veneer::deliver {

std::string rung_tag(const image::SealedImage& rung) {
  return std::string(rung_tag_prefix) + rung.manifest_digest.hex().substr(0, 12);
}

std::vector<image::SealedImage> rungs_of(const image::SealedImage& sealed, const DeliveryPlan& plan,
                                         std::uint64_t bytes) {
  std::vector<image::SealedImage> rungs;
  std::uint64_t sent = 0;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    // Before a layer that would make the part too large, and never below the first that travels.
    const bool travels = plan.steps[i].action == Action::send;
    if (travels && sent > 0 && sent + plan.steps[i].size > bytes) {
      image::Image rung;
      rung.config.platform = sealed.image.config.platform;
      rung.config.created = sealed.image.config.created;
      rung.layers.assign(sealed.image.layers.begin(), sealed.image.layers.begin() + static_cast<std::ptrdiff_t>(i));
      rungs.push_back(image::seal(std::move(rung)));
      sent = 0;
    }
    if (travels) sent += plan.steps[i].size;
  }
  return rungs;
}

KnownImage known_rung(const image::SealedImage& rung, ReceiverKind kind) {
  KnownImage known;
  known.id = image_id_on(kind, rung);
  known.completeness = Completeness::whole;
  std::vector<image::LabelledLayer> blobs;
  for (const image::Layer& layer : rung.image.layers) {
    known.diff_ids.push_back(layer.diff_id);
    blobs.push_back({layer.blob, layer.size, layer.encoding});
  }
  known.blobs = std::move(blobs);
  return known;
}

}  // namespace veneer::deliver
