#include "inspect/merged_tree.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/utf8.hh"
#include "image/open_layer.hh"
#include "tree/hashed_content.hh"

namespace veneer::inspect {

using archive::EntryType;

namespace {

constexpr std::size_t most_big_files = 5;
constexpr std::uint64_t most_list_bytes = 64 << 20;  // of dpkg's lists; those of 3000 packages have 20 MB

class CountingSource : public ByteSource {
 public:
  explicit CountingSource(ByteSource& source) : source_(source) {}
  std::size_t read(std::span<std::byte> into) override {
    const std::size_t count = source_.read(into);
    count_ += count;
    return count;
  }
  std::uint64_t count() const { return count_; }

 private:
  ByteSource& source_;
  std::uint64_t count_ = 0;
};

void remember_big(std::vector<BigFile>& biggest, const archive::TarEntry& entry) {
  if (entry.size == 0 || (biggest.size() == most_big_files && entry.size <= biggest.back().size)) return;
  const auto place =
      std::find_if(biggest.begin(), biggest.end(), [&](const BigFile& big) { return big.size < entry.size; });
  biggest.insert(place, {entry.path, entry.size});
  if (biggest.size() > most_big_files) biggest.pop_back();
}

/// What is remembered of layers until all of them are read.
struct DebianFiles {
  std::map<std::string, std::string> lists;  // of dpkg, by package; those of upper layers replace those below
  std::uint64_t list_bytes = 0;
  std::vector<std::vector<std::pair<std::string, std::uint64_t>>> files;  // of each layer: path, bytes
};

/// The hash of the data; a list of dpkg's is kept as well.
Hash read_data(const archive::TarEntry& entry, ByteSource& data, DebianFiles& debian) {
  const std::string package(listed_package(entry.path));
  if (package.empty() || entry.size > most_list_bytes - std::min(most_list_bytes, debian.list_bytes)) {
    return sha256(data);
  }
  Bytes bytes(entry.size);
  bytes.resize(read_full(data, bytes));
  debian.list_bytes += bytes.size();
  debian.lists[package] = as_text(bytes);
  return sha256(bytes);
}

LayerFacts read_layer(tree::FileTree& tree, const image::Layer& layer, std::size_t index, const image::Blobs& blobs,
                      DebianFiles& debian) {
  LayerFacts facts;
  auto& files = debian.files.emplace_back();
  image::read_layer(blobs, layer, [&](ByteSource& tar) {
    CountingSource counted(tar);
    facts.counts =
        tree::apply_layer(tree, counted, index,
                          [&](const archive::TarEntry& entry, ByteSource& data,
                              std::uint64_t) -> std::shared_ptr<const archive::Content> {
                            remember_big(facts.biggest, entry);
                            files.emplace_back(entry.path, entry.size);
                            return std::make_shared<tree::HashedContent>(entry.size, read_data(entry, data, debian));
                          });
    CountingSink rest;
    copy(counted, rest);
    facts.tar_size = counted.count();
  });
  return facts;
}

std::string_view type_name(EntryType type) {
  switch (type) {
    case EntryType::file: return "file";
    case EntryType::folder: return "folder";
    case EntryType::symlink: return "symlink";
    case EntryType::character_device: return "character_device";
    case EntryType::block_device: return "block_device";
    case EntryType::fifo: return "fifo";
    case EntryType::hard_link: break;
  }
  return "hard_link";
}

/// JSON holds text; a name in another encoding is written with its odd bytes as \xNN and marked.
void set_text(Value& row, std::string_view key, std::string_view text) {
  if (is_utf8(text)) {
    row.set(key, text);
    return;
  }
  row.set(key, printable(text, text.size() * 4));
  row.set(std::string(key) + "_escaped", true);
}

}  // namespace

MergedTree merge_layers(const image::Image& image, const image::Blobs& blobs) {
  MergedTree merged;
  DebianFiles debian;
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    const image::Layer& layer = image.layers[i];
    merged.layers.push_back(in_context([&] { return fmt::format("layer {} ({})", i + 1, layer.blob.text()); },
                                       [&] { return read_layer(merged.tree, layer, i, blobs, debian); }));
  }
  const PackageOwners owners(debian.lists, merged.tree);
  for (std::size_t i = 0; i < merged.layers.size() && !owners.empty(); ++i) {
    std::vector<PackageBytes> packages = owners.sum(debian.files[i]);
    const bool is_of_debian =
        std::ranges::any_of(packages, [](const PackageBytes& row) { return !row.package.empty(); });
    if (is_of_debian) merged.layers[i].packages = std::move(packages);
  }
  return merged;
}

std::string tree_to_json(const tree::FileTree& tree) {
  std::map<const tree::Inode*, std::string_view> first_paths;
  Value::Array entries;
  entries.reserve(tree.size());
  for (const auto& [path, entry] : tree.entries()) {
    const tree::Inode& inode = *entry.inode;
    Value row;
    set_text(row, "path", path);
    row.set("type", type_name(inode.type));
    row.set("mode", fmt::format("{:04o}", inode.mode));
    row.set("uid", inode.uid);
    row.set("gid", inode.gid);
    if (inode.type == EntryType::file) {
      row.set("size", inode.content->size());
      row.set("sha256", tree::content_hash(*inode.content).hex());
    }
    if (inode.type == EntryType::symlink) set_text(row, "link", inode.link_target);
    if (inode.type == EntryType::character_device || inode.type == EntryType::block_device) {
      row.set("device", Value::Array{std::uint64_t{inode.device_major}, std::uint64_t{inode.device_minor}});
    }
    if (inode.type != EntryType::folder) {
      const auto [first, is_new] = first_paths.emplace(&inode, path);
      if (!is_new) set_text(row, "hard_link", first->second);
    }
    row.set("layer", std::uint64_t{entry.layer});
    entries.push_back(std::move(row));
  }
  Value document;
  document.set("entries", std::move(entries));
  return to_json(document) + "\n";
}

std::vector<std::string> tree_lines(const tree::FileTree& tree) {
  constexpr std::size_t longest = 16 * 4096;
  std::map<std::pair<const tree::Inode*, std::size_t>, std::string_view> first_paths;
  std::vector<std::string> lines;
  lines.reserve(tree.size());
  for (const auto& [path, entry] : tree.entries()) {
    const tree::Inode& inode = *entry.inode;
    std::string line = printable(path, longest);
    if (inode.type == EntryType::folder) {
      line += '/';
    } else if (const auto [first, is_new] = first_paths.emplace(std::pair(&inode, entry.layer), path); !is_new) {
      line += " => " + printable(first->second, longest);
    } else if (inode.type == EntryType::symlink) {
      line += " -> " + printable(inode.link_target, longest);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace veneer::inspect
