#include "base/root_files.hh"

#include <fmt/format.h>

#include "base/unpack.hh"
#include "foundation/digest.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "tree/apply_layer.hh"
#include "tree/write_layer.hh"

namespace veneer::base {

namespace fs = std::filesystem;

tree::FileTree read_root(const fs::path& tar) {
  const auto file = std::make_shared<File>(tar);
  SliceSource source(file, 0, file->size());
  tree::FileTree tree;
  in_context([] { return "reading the new Debian root"; },
             [&] {
               tree::apply_layer(tree, source, 0,
                                 [&](const archive::TarEntry& entry, ByteSource&, std::uint64_t offset) {
                                   return std::make_shared<archive::SliceContent>(file, offset, entry.size);
                                 });
             });
  return tree;
}

void write_merged_root(const Base& base, const fs::path& staging, const fs::path& tar) {
  std::vector<tree::LayerEntry> entries = tree::tree_entries(stage(base, staging));
  std::erase_if(entries, [](const tree::LayerEntry& entry) {
    return entry.tar.path.starts_with("dev/") || entry.tar.type == archive::EntryType::character_device ||
           entry.tar.type == archive::EntryType::block_device;
  });
  AtomicFile file(tar, 0600);
  tree::write_tar(entries, file);
  file.commit();
}

}  // namespace veneer::base
