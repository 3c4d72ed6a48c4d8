// Archives of images from anyone: scanned, parsed, merged, listed; nothing but an Error may come of it. The first byte
// says whether the rest is an archive, a layer to be put on a small tree, or a recipe for such a layer: three bytes an
// entry, so that checksums are right and names collide.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "archive/compression.hh"
#include "foundation/error.hh"
#include "foundation/stream.hh"
#include "image/media/docker_archive.hh"
#include "inspect/layer_contents.hh"
#include "inspect/merged_tree.hh"
#include "tests/support/same_tree.hh"
#include "tests/support/tar_builder.hh"
#include "tests/support/validate_layer.hh"
#include "tree/apply_layer.hh"
#include "tree/difference.hh"

using namespace veneer;

namespace {

std::shared_ptr<const archive::Content> keep(const archive::TarEntry& entry, ByteSource& data, std::uint64_t) {
  return std::make_shared<archive::MemoryContent>(read_all(data, entry.size));
}

void read_archive(ByteView bytes) {
  const image::DockerArchive archive(std::make_shared<MemoryAccess>(Bytes(bytes.begin(), bytes.end())));
  const image::SealedImage image = archive.read({});
  const inspect::MergedTree merged = inspect::merge_layers(image.image, archive);
  const auto layers = inspect::summarize_layers(image.image, &merged);
  (void)inspect::summary_to_text(layers);
  (void)inspect::summary_to_json(image, layers);
  (void)inspect::tree_to_json(merged.tree);
  (void)inspect::tree_lines(merged.tree);
}

void apply(ByteView bytes) {
  tree::FileTree lower;
  const auto file = tree::make_file(std::make_shared<archive::MemoryContent>("x"), 0644, 0, 0, 0);
  for (const char* path : {"d/a", "d/b", "etc/passwd"}) lower.put(path, file);
  lower.put("lib", tree::make_symlink("usr/lib", 0, 0, 0));
  lower.put("usr/lib/x.so", file);
  tree::FileTree upper = lower;
  MemorySource source(bytes);
  (void)tree::apply_layer(upper, source, 1, keep);
  // What came out can be written as a layer that leads there again, if all of it can be written at all.
  BytesSink blob;
  tree::write_entries(tree::difference(lower, upper).entries, blob);
  const Bytes written = blob.take();
  const auto tar = archive::open_gzip(std::make_unique<MemorySource>(written));
  tree::FileTree again = lower;
  try {
    (void)tree::apply_layer(again, *tar, 1, keep);
  } catch (const Error&) {
    std::abort();  // we wrote what we do not read
  }
  if (!tree::same_tree(again, upper)) std::abort();
}

std::string cook(ByteView recipe) {
  static constexpr std::array<const char*, 16> names = {
      "d",   "d/a",     "d/b", "d/.wh.a", "d/.wh..wh..opq", ".wh.d",   "lib",  "lib/y",
      "etc", "etc/x/y", "s",   "s/z",     ".wh.s",          "usr/lib", "../x", "d/.wh."};
  static constexpr std::array<char, 6> types = {'0', '0', '5', '2', '1', '3'};
  tests::TarBuilder tar;
  for (std::size_t i = 0; i + 2 < recipe.size() && i < 90; i += 3) {
    const auto at = [&](std::size_t place) { return std::to_integer<unsigned>(recipe[i + place]); };
    const char type = types[at(0) % types.size()];
    const std::string_view name = names[at(1) % names.size()];
    const std::string_view link = names[at(2) % names.size()];
    if (type == '3') {
      tar.device(name, at(2) % 2, at(2) / 2 % 2);
    } else {
      tar.add(name, type, type == '0' ? link.substr(0, at(2) / 16) : "", type == '1' || type == '2' ? link : "");
    }
  }
  return tar.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes = std::as_bytes(std::span(data + 1, size - 1));
  MemorySource source(bytes);
  (void)tree::validate_layer(source);
  try {
    if (data[0] % 3 == 0) {
      read_archive(bytes);
    } else if (data[0] % 3 == 1) {
      apply(bytes);
    } else {
      apply(as_bytes(cook(bytes)));
    }
  } catch (const Error&) {
  }
  return 0;
}
