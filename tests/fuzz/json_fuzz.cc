// JSON documents of images, and JSON itself: any bytes are read or refused; what is read can be written and comes back.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "image/image.hh"
#include "image/parse.hh"
#include "tests/fuzz/tolerate.hh"

using veneer::fuzz::tolerate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  tolerate([&] {
    const veneer::Value value = veneer::parse_json(text);
    if (veneer::parse_json(veneer::to_json(value)) != value) std::abort();
    if (veneer::parse_json(veneer::to_pretty_json(value)) != value) std::abort();
  });
  tolerate([&] { (void)veneer::image::parse_index(text); });
  tolerate([&] { (void)veneer::image::parse_manifest(text); });
  tolerate([&] {
    // A configuration that was read can be sealed, and sealing is stable.
    veneer::image::Image image;
    veneer::image::ParsedConfig parsed = veneer::image::parse_config(text);
    if (parsed.diff_ids.size() > 8) return;
    image.config = std::move(parsed.config);
    for (const veneer::DiffId& id : parsed.diff_ids) {
      image.layers.push_back({id, veneer::image::Encoding::tar, {id.hash}, 1});
    }
    const veneer::image::SealedImage sealed = veneer::image::seal(image);
    if (veneer::image::seal(sealed.image).config != sealed.config) std::abort();
    (void)veneer::image::parse_config(sealed.config);
  });
  tolerate([&] { (void)veneer::image::read_layers_label(text, 1); });
  return 0;
}
