#include "build/layer_forecast.hh"

#include <algorithm>

#include "tree/write_layer.hh"

namespace veneer::build {

namespace {

constexpr std::uint64_t end_size = 10 + 12 + 8;      // the member of two zero blocks
constexpr std::uint64_t folder_size = 105;           // the member of a folder's header
constexpr std::uint64_t copied_stream_overhead = 9;  // a header of a size, and what leads from it to a copied stream

}  // namespace

std::uint64_t forecast_size(const tree::FileTree& tree, const std::string& site_packages) {
  tree::FileTree shell;  // the files with what is copied left out
  std::uint64_t copied = 0;
  const auto empty = std::make_shared<archive::MemoryContent>("");
  for (const auto& [path, entry] : tree.entries()) {
    tree::InodePointer inode = entry.inode;
    if (inode->content) {
      if (const auto deflated = inode->content->deflated()) {
        copied += deflated->stream_size + copied_stream_overhead;
        auto hollow = std::make_shared<tree::Inode>(*inode);
        hollow->content = empty;
        inode = std::move(hollow);
      }
    }
    shell.put(path, std::move(inode));
  }
  std::vector<tree::LayerEntry> entries = tree::tree_entries(shell);
  std::erase_if(entries, [&](const tree::LayerEntry& entry) {
    return entry.tar.type == archive::EntryType::folder && (site_packages + "/").starts_with(entry.tar.path + "/");
  });
  CountingSink sink;
  tree::write_entries(entries, sink);
  return sink.count() - end_size + copied;
}

std::uint64_t forecast_frame(const std::string& site_packages) {
  const auto folders = static_cast<std::uint64_t>(std::count(site_packages.begin(), site_packages.end(), '/')) + 1;
  return end_size + folders * folder_size;
}

}  // namespace veneer::build
