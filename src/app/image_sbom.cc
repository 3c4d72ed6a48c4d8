#include "app/image_sbom.hh"

#include "sbom/contents.hh"
#include "sbom/spdx.hh"

namespace veneer::app {

std::string sbom_of(const image::SealedImage& image, const image::Blobs& blobs, Messages& messages) {
  messages.progress("reading what the image holds");
  const sbom::ImageContents contents = sbom::read_contents(image.image, blobs);
  messages.clear_progress();
  for (const std::string& note : contents.notes) messages.note("SBOM: " + note);
  return sbom::spdx_document(image, contents, VENEER_VERSION);
}

}  // namespace veneer::app
