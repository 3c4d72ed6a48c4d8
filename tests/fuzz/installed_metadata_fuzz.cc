// What an image says to be installed in it, as METADATA of a distribution and as dpkg's status: whatever it says comes
// out as a document that can be read, or not at all.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "foundation/json.hh"
#include "sbom/contents.hh"
#include "sbom/spdx.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace veneer;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  sbom::ImageContents contents;
  for (const auto state : {base::DpkgState::installed, base::DpkgState::any}) {
    for (base::InstalledPackage& package : base::packages_in_status(text, state, 1000)) {
      if (sbom::is_proper(package)) contents.debian.push_back(std::move(package));
    }
  }
  if (auto distribution = sbom::read_distribution(text)) {
    if (const auto& licence = distribution->licence) {
      const auto again = python::parse_licence(licence->expression);
      if (!again || *again != *licence) std::abort();
    }
    contents.python.push_back(std::move(*distribution));
  }
  contents.interpreter = image::read_files_label(text).interpreter;
  image::SealedImage image;
  image.image.config.created = text.substr(0, 40);
  image.image.config.run.set("Labels", Value::Table{{"org.opencontainers.image.title", std::string(text)}});
  const Value document = parse_json(sbom::spdx_document(image, contents, "0"));
  const std::size_t packages = document.at("packages").array().size();
  if (packages != document.at("relationships").array().size()) std::abort();
  return 0;
}
