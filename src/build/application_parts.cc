#include "build/application_parts.hh"

#include <algorithm>

#include "foundation/parallel.hh"
#include "tree/write_layer.hh"

namespace veneer::build {

namespace {

constexpr std::uint64_t tar_block = 512;

bool is_folder(const tree::Inode& inode) { return inode.type == archive::EntryType::folder; }

/// Folders with nothing in them: what follows a folder in order of bytes may lie beside it ("a", "a-b", "a/b").
bool is_empty_folder(const tree::FileTree& tree, const std::string& path, const tree::Inode& inode) {
  if (!is_folder(inode)) return false;
  const auto below = tree.entries().lower_bound(path + "/");
  return below == tree.entries().end() || !below->first.starts_with(path + "/");
}

void put_with_parents(tree::FileTree& to, const tree::FileTree& from, const std::string& path) {
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    if (!to.contains(parent)) to.put(parent, from.entries().at(parent).inode);
  }
  to.put(path, from.entries().at(path).inode);
}

}  // namespace

std::vector<std::uint64_t> compressed_sizes(const ApplicationFiles& files, std::size_t workers) {
  std::vector<const tree::FileTree::Map::value_type*> all;
  for (const auto& entry : files.tree.entries()) {
    if (!is_folder(*entry.second.inode)) all.push_back(&entry);
  }
  std::vector<std::uint64_t> sizes(all.size());
  parallel_for(all.size(), workers, [&](std::size_t i) {
    CountingSink sink;
    tree::write_entries({tree::layer_entry(all[i]->first, *all[i]->second.inode)}, sink);
    sizes[i] = sink.count();
  });
  return sizes;
}

std::vector<ApplicationPart> application_parts(const ApplicationFiles& files, const std::string& prefix_path,
                                               plan::OwnWheels wheels, const plan::ApplicationSplit& previous,
                                               std::size_t cap, const FileSizes& sizes) {
  const std::string below_prefix = prefix_path + "/";
  std::vector<plan::SplitFile> listed;
  std::vector<std::size_t> places;  // of `listed` among the files
  std::uint64_t raw = 0;
  std::size_t place = 0;
  for (const auto& [path, entry] : files.tree.entries()) {
    if (is_folder(*entry.inode)) continue;
    const auto& content = entry.inode->content;
    if (!path.starts_with(below_prefix)) {
      listed.push_back({path, (content ? content->size() : 0) + tar_block});
      places.push_back(place);
      raw += listed.back().bytes;
    }
    ++place;
  }
  if (raw > plan::least_split_bytes) {
    const std::vector<std::uint64_t> compressed = sizes(files);
    for (std::size_t i = 0; i < listed.size(); ++i) listed[i].bytes = compressed.at(places[i]);
  }
  const plan::ApplicationSplit split = plan::split_application(listed, wheels, previous, cap);
  if (split.size() == 1) return {{plan::part_title(split.back()), files}};

  std::vector<ApplicationPart> parts(split.size());
  for (const auto& [path, entry] : files.tree.entries()) {
    const bool is_loose = path.starts_with(below_prefix) || is_empty_folder(files.tree, path, *entry.inode);
    if (is_folder(*entry.inode) && !is_loose) continue;
    const std::size_t part = is_loose ? split.size() - 1 : plan::part_of(split, path);
    put_with_parents(parts[part].files.tree, files.tree, path);
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i].title = plan::part_title(split[i]);
    parts[i].files.content = hash_of(parts[i].files.tree);
  }
  if (parts.back().files.tree.empty() && wheels == plan::OwnWheels::none) parts.pop_back();
  return parts;
}

}  // namespace veneer::build
