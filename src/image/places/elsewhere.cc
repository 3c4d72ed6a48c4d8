#include "image/places/elsewhere.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/text.hh"
#include "image/places/registry_place.hh"

namespace veneer::image {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t file_limit = 1 << 20;
constexpr std::size_t most_lines = 1000;
constexpr std::string_view prefix = "registry:";

std::vector<std::string> lines_of(const fs::path& store) {
  return split_words(read_text_file_if_exists(store / "elsewhere", file_limit).value_or(""), "\n");
}

}  // namespace

void write_elsewhere(const fs::path& store, const std::string& place, const std::vector<Layer>& layers) {
  if (layers.empty()) return;
  const std::vector<std::string> before = lines_of(store);
  std::string text;
  std::size_t count = layers.size();
  for (const Layer& layer : layers) text += fmt::format("{} {} {}\n", layer.blob.text(), layer.size, place);
  for (const std::string& line : before) {
    const bool is_said = std::any_of(layers.begin(), layers.end(),
                                     [&](const Layer& layer) { return line.starts_with(layer.blob.text() + " "); });
    if (!is_said && ++count <= most_lines) text += line + "\n";
  }
  write_text_file(store / "elsewhere", text);
}

std::shared_ptr<const Blobs> blobs_of_store(std::shared_ptr<const OciLayout> layout, const std::vector<Layer>& layers,
                                            const PlaceContext& context) {
  std::map<std::string, std::vector<Layer>> missing;  // by the place
  const std::vector<std::string> lines = lines_of(context.store);
  for (const Layer& layer : layers) {
    if (layout->contains(layer.blob)) continue;
    for (const std::string& line : lines) {
      const std::vector<std::string> words = split_words(line, " ");
      if (words.size() != 3 || words[0] != layer.blob.text() || !words[2].starts_with(prefix)) continue;
      missing[words[2].substr(prefix.size())].push_back(layer);
      break;
    }
  }
  std::shared_ptr<const Blobs> blobs = std::move(layout);
  for (const auto& [place, left] : missing) {
    blobs = blobs_of_both(std::move(blobs), registry_blobs(parse_reference(place), left, context));
  }
  return blobs;
}

}  // namespace veneer::image
