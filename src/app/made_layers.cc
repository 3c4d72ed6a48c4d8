#include "app/made_layers.hh"

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/text.hh"
#include "image/places/image_names.hh"

namespace veneer::app {

namespace {
constexpr std::uint64_t largest_made = 1 << 20;
}

Made read_made(const std::filesystem::path& store) {
  try {
    Made made;
    const auto text = read_text_file_if_exists(store / "made", largest_made);
    for (const std::string& line : split_words(text.value_or(""), "\n")) {
      if (line.starts_with("layer ")) made.layers.insert(BlobDigest::parse(line.substr(6)));
      if (line.starts_with("base ")) made.base = line.substr(5);
    }
    return made;
  } catch (const Error&) {
    return {};
  }
}

Made made_of(const build::BuiltImage& built, const std::string& base_name) {
  Made made;
  for (const build::BuiltLayer& layer : built.layers) {
    if (layer.made) made.layers.insert(layer.layer.blob);
  }
  if (base_name.starts_with("registry:")) {
    made.base = base_name;
  } else if (!image::names_a_place(base_name) && !base_name.starts_with("debian:")) {
    made.base = "registry:" + base_name;  // as a base without prefix is read
  }
  return made;
}

void write_made(const std::filesystem::path& store, const build::BuiltImage& built, const std::string& base_name) {
  const Made before = read_made(store);
  const Made now = made_of(built, base_name);
  std::string text = now.base.empty() ? "" : "base " + now.base + "\n";
  for (const build::BuiltLayer& layer : built.layers) {
    const BlobDigest& blob = layer.layer.blob;
    if (now.layers.contains(blob) || before.layers.contains(blob)) text += "layer " + blob.text() + "\n";
  }
  write_text_file(store / "made", text);
}

}  // namespace veneer::app
