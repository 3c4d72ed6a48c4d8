#include "tree/write_layer.hh"

#include <fmt/format.h>

#include <map>

#include "archive/tar_writer.hh"
#include "foundation/error.hh"
#include "tree/whiteout.hh"

namespace veneer::tree {

using archive::EntryType;

LayerEntry layer_entry(std::string path, const Inode& inode) {
  in_context([&] { return fmt::format("entry '{}'", printable(path)); },
             [&] {
               if (classify(path) == NameKind::plain) return;
               throw Error(ErrorKind::refused, "a layer cannot hold this name: it means that something is gone");
             });
  LayerEntry entry;
  entry.tar.path = std::move(path);
  entry.tar.type = inode.type;
  entry.tar.mode = inode.mode;
  entry.tar.uid = inode.uid;
  entry.tar.gid = inode.gid;
  entry.tar.mtime = inode.mtime;
  entry.tar.link_target = inode.link_target;
  entry.tar.device_major = inode.device_major;
  entry.tar.device_minor = inode.device_minor;
  entry.tar.xattrs = inode.xattrs;
  if (inode.type == EntryType::file) {
    entry.content = inode.content;
    entry.tar.size = inode.content->size();
  }
  return entry;
}

LayerEntry hard_link_entry(std::string path, std::string first_path, const Inode& inode) {
  LayerEntry entry = layer_entry(std::move(path), inode);
  entry.tar.type = EntryType::hard_link;
  entry.tar.link_target = std::move(first_path);
  entry.tar.size = 0;
  entry.tar.xattrs.clear();  // they are the file's, and stand with its first name
  entry.tar.device_major = 0;
  entry.tar.device_minor = 0;
  entry.content = nullptr;
  return entry;
}

std::vector<LayerEntry> tree_entries(const FileTree& tree) {
  std::vector<LayerEntry> entries;
  entries.reserve(tree.size());
  std::map<const Inode*, std::string> first_paths;
  for (const auto& [path, entry] : tree.entries()) {
    const Inode& inode = *entry.inode;
    if (inode.type == EntryType::folder) {
      entries.push_back(layer_entry(path, inode));
      continue;
    }
    const auto [first, is_new] = first_paths.emplace(&inode, path);
    entries.push_back(is_new ? layer_entry(path, inode) : hard_link_entry(path, first->second, inode));
  }
  return entries;
}

archive::WrittenLayer write_entries(const std::vector<LayerEntry>& entries, ByteSink& blob) {
  archive::LayerWriter writer(blob);
  for (const LayerEntry& entry : entries) {
    in_context([&] { return fmt::format("writing '{}'", printable(entry.tar.path)); },
               [&] { writer.add(entry.tar, entry.content.get()); });
  }
  return writer.finish();
}

void write_tar(const std::vector<LayerEntry>& entries, ByteSink& tar) {
  const Bytes zeros(archive::tar_end_size);
  for (const LayerEntry& entry : entries) {
    in_context([&] { return fmt::format("writing '{}'", printable(entry.tar.path)); },
               [&] {
                 tar.write(archive::tar_header(entry.tar));
                 if (entry.content == nullptr) return;
                 copy(*entry.content->open(), tar);
                 tar.write(std::span(zeros).first(archive::tar_padding(entry.content->size())));
               });
  }
  tar.write(zeros);
}

archive::WrittenLayer write_layer(const FileTree& tree, ByteSink& blob) {
  return write_entries(tree_entries(tree), blob);
}

}  // namespace veneer::tree
