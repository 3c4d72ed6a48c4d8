#include "tree/apply_layer.hh"

#include <fmt/format.h>

#include <optional>
#include <string_view>
#include <utility>

#include "foundation/error.hh"
#include "tree/whiteout.hh"

namespace veneer::tree {

using archive::EntryType;
using archive::TarEntry;

namespace {

constexpr std::size_t longest_link_target = 4095;
constexpr std::size_t most_findings = 100;

[[noreturn]] void refuse(std::string message) { throw Error(ErrorKind::refused, std::move(message)); }

/// An entry of the layer, kept until its whiteouts are known.
struct Pending {
  std::string path;
  InodePointer inode;       // null for a hard link
  std::string link_target;  // of a hard link
};

class Applier {
 public:
  Applier(FileTree& tree, std::size_t layer, const KeepContent& keep_content)
      : tree_(tree), layer_(layer), keep_content_(keep_content) {}

  void read(archive::TarReader& reader) {
    while (const std::optional<TarEntry> entry = reader.next()) {
      in_context([&] { return fmt::format("entry '{}'", printable(entry->path)); }, [&] { take(*entry, reader); });
    }
  }

  AppliedLayer finish() {
    for (const std::string& path : hidden_) tree_.remove(path);
    for (const std::string& path : emptied_) tree_.remove_below(path);
    for (Pending& pending : pending_) {
      in_context([&] { return fmt::format("entry '{}'", printable(pending.path)); }, [&] { put(pending); });
    }
    return std::move(applied_);
  }

 private:
  void find(std::string text) {
    if (applied_.findings.size() < most_findings) applied_.findings.push_back(std::move(text));
  }

  void take(const TarEntry& entry, archive::TarReader& reader) {
    if (archive::has_parent_parts(entry.path)) refuse("the path has a part '..'");
    if (entry.path.empty()) {
      if (entry.type == EntryType::folder) return;  // the root itself
      refuse("the path is empty");
    }
    switch (classify(entry.path)) {
      case NameKind::whiteout:
        ++applied_.whiteouts;
        // A parent that lower layers do not have hides nothing.
        if (const auto parent = tree_.resolve(parent_path(entry.path))) {
          hidden_.push_back(join_path(*parent, whiteout_target(base_name(entry.path))));
        }
        return;
      case NameKind::opaque:
        ++applied_.whiteouts;
        if (auto parent = tree_.resolve(parent_path(entry.path))) emptied_.push_back(std::move(*parent));
        return;
      case NameKind::aufs_metadata: return;
      case NameKind::plain: break;
    }
    pending_.push_back({entry.path, nullptr, {}});
    Pending& pending = pending_.back();
    if (entry.type == EntryType::hard_link) {
      ++applied_.links;
      if (archive::has_parent_parts(entry.link_target)) refuse("the hard link's target has a part '..'");
      pending.link_target = entry.link_target;
    } else {
      pending.inode = make_inode(entry, reader);
    }
  }

  InodePointer make_inode(const TarEntry& entry, archive::TarReader& reader) {
    auto inode = std::make_shared<Inode>();
    inode->type = entry.type;
    inode->mode = entry.mode;
    inode->uid = entry.uid;
    inode->gid = entry.gid;
    inode->mtime = entry.mtime;
    inode->xattrs = entry.xattrs;
    switch (entry.type) {
      case EntryType::file:
        ++applied_.files;
        applied_.file_bytes += entry.size;
        inode->content = keep_content_(entry, reader.data(), reader.data_offset());
        break;
      case EntryType::symlink:
        ++applied_.links;
        if (entry.link_target.empty()) refuse("the symbolic link has no target");
        if (entry.link_target.size() > longest_link_target) refuse("the symbolic link's target is too long");
        inode->link_target = entry.link_target;
        break;
      case EntryType::folder: ++applied_.folders; break;
      case EntryType::character_device:
        if (entry.device_major == 0 && entry.device_minor == 0) {
          refuse("a character device 0:0 would delete the file of that name on overlayfs");
        }
        [[fallthrough]];
      case EntryType::block_device:
      case EntryType::fifo:
        ++applied_.others;
        inode->device_major = entry.device_major;
        inode->device_minor = entry.device_minor;
        break;
      case EntryType::hard_link: break;
    }
    return inode;
  }

  void put(Pending& pending) {
    const std::string place = tree_.locate(pending.path);
    if (place != pending.path) {
      find(
          fmt::format("'{}' is written to '{}' through a symbolic link; on overlayfs a link of a lower layer is "
                      "replaced by a folder instead",
                      printable(pending.path), printable(place)));
    }
    if (!pending.inode) {
      link(pending, place);
      return;
    }
    if (pending.inode->type == EntryType::folder) {
      if (const Inode* old = tree_.find(place); old != nullptr && old->type == EntryType::symlink) {
        find(fmt::format("the folder '{}' replaces a symbolic link to '{}'", printable(place),
                         printable(old->link_target)));
      }
    }
    tree_.put(place, std::move(pending.inode), layer_);
  }

  void link(const Pending& pending, const std::string& place) {
    const std::string target = tree_.locate(pending.link_target);
    if (target == place) refuse("the hard link names itself");
    const auto found = tree_.entries().find(target);
    if (found == tree_.entries().end()) {
      refuse(fmt::format("the hard link's target '{}' does not exist", printable(pending.link_target)));
    }
    if (found->second.inode->type == EntryType::folder) {
      refuse(fmt::format("the hard link's target '{}' is a folder", printable(pending.link_target)));
    }
    if (found->second.layer != layer_) {
      find(fmt::format("the hard link '{}' names '{}' of a lower layer, which engines with overlayfs refuse",
                       printable(place), printable(target)));
    }
    const InodePointer inode = found->second.inode;
    tree_.put(place, inode, layer_);
  }

  FileTree& tree_;
  std::size_t layer_;
  const KeepContent& keep_content_;
  std::vector<Pending> pending_;
  std::vector<std::string> hidden_;
  std::vector<std::string> emptied_;  // folders whose lower content is hidden
  AppliedLayer applied_;
};

}  // namespace

AppliedLayer apply_layer(FileTree& tree, ByteSource& tar, std::size_t layer, const KeepContent& keep_content) {
  return in_context([&] { return fmt::format("layer {} from the bottom", layer + 1); },
                    [&] {
                      archive::TarReader reader(tar);
                      Applier applier(tree, layer, keep_content);
                      applier.read(reader);
                      return applier.finish();
                    });
}

}  // namespace veneer::tree
