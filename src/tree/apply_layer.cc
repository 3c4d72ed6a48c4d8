#include "tree/apply_layer.hh"

#include <fmt/format.h>

#include <optional>
#include <set>
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

using Paths = std::set<std::string, std::less<>>;

/// Removes from `paths` what lies below `folder`.
void erase_below(Paths& paths, const std::string& folder) {
  paths.erase(paths.lower_bound(folder + '/'), paths.lower_bound(folder + static_cast<char>('/' + 1)));
}

/// The layer is unpacked into a tree of its own, which then covers the lower ones as overlayfs does: so do all engines
/// that veneer knows (tests/engines/merge_test.py). Hence nothing of a layer follows a link of a lower one.
class Applier {
 public:
  Applier(FileTree& tree, std::size_t layer, const KeepContent& keep_content)
      : tree_(tree), layer_(layer), keep_content_(keep_content), implied_(make_folder(0755, 0, 0, 0)) {}

  void read(archive::TarReader& reader) {
    while (const std::optional<TarEntry> entry = reader.next()) {
      in_context([&] { return fmt::format("entry '{}'", printable(entry->path)); }, [&] { take(*entry, reader); });
    }
  }

  AppliedLayer finish() {
    for (const std::string& path : hidden_) tree_.remove(path);
    for (const std::string& path : emptied_) tree_.remove_below(path);
    for (const auto& item : upper_.entries()) {
      in_context([&] { return fmt::format("entry '{}'", printable(item.first)); },
                 [&] { cover(item.first, item.second.inode); });
    }
    return std::move(applied_);
  }

 private:
  template <typename... Arguments>
  void find(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    if (applied_.findings.size() >= most_findings) return;
    applied_.findings.push_back(fmt::format(format, std::forward<Arguments>(arguments)...));
  }

  void take(const TarEntry& entry, archive::TarReader& reader) {
    if (archive::has_parent_parts(entry.path)) refuse("the path has a part '..'");
    if (entry.path.empty()) {
      if (entry.type == EntryType::folder) return;  // the root itself
      refuse("the path is empty");
    }
    switch (classify(entry.path)) {
      case NameKind::whiteout: {
        ++applied_.whiteouts;
        const std::string place = way_to(entry.path);
        hide(join_path(parent_path(place), whiteout_target(base_name(place))));
        return;
      }
      case NameKind::opaque: {
        ++applied_.whiteouts;
        const std::string place = way_to(entry.path);
        emptied_.emplace(parent_path(place));
        if (place == opaque_name) find("the root has an opaque marker, which engines with overlayfs pass over");
        return;
      }
      case NameKind::aufs_metadata: return;
      case NameKind::plain: break;
    }
    if (entry.type == EntryType::hard_link) {
      ++applied_.links;
      if (archive::has_parent_parts(entry.link_target)) refuse("the hard link's target has a part '..'");
      const std::string place = way_to(entry.path);
      put(place, linked(place, entry.link_target));
    } else {
      put(way_to(entry.path), make_inode(entry, reader));
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

  /// Where the entry `path` ends up, with folders above it.
  std::string way_to(const std::string& path) {
    std::string place = upper_.locate(path, DanglingParents::followed);
    const std::string_view folder = parent_path(place);
    if (place != path) {
      find("'{}' is written to '{}' through a symbolic link{}", printable(path), printable(place),
           folder.empty() || upper_.contains(folder) ? ""
                                                     : " to what this layer does not hold, which some engines refuse");
    }
    imply(folder);
    return place;
  }

  /// Folders that the layer needs and does not list.
  void imply(std::string_view folder) {
    if (folder.empty() || upper_.contains(folder)) return;
    for (std::size_t end = 0; end != std::string_view::npos;) {
      end = folder.find('/', end + 1);
      const std::string_view path = folder.substr(0, end);
      if (upper_.contains(path)) continue;
      upper_.put(path, implied_);
      if (const auto hidden = hidden_.find(path); hidden != hidden_.end()) {
        find("the folder '{}' is whited out and not listed, but not empty; engines with overlayfs refuse that",
             printable(path));
        emptied_.insert(hidden_.extract(hidden));
      }
    }
  }

  void hide(const std::string& path) {
    const Inode* own = upper_.find(path);
    if (own == nullptr) {
      hidden_.insert(path);
      return;
    }
    find("the whiteout of '{}' stands behind what this layer has there; engines with overlayfs refuse that",
         printable(path));
    if (own->type == EntryType::folder) emptied_.insert(path);
  }

  void put(const std::string& place, InodePointer inode) {
    const bool is_folder = inode->type == EntryType::folder;
    if (const Inode* old = upper_.find(place); old != nullptr && old != implied_.get()) {
      find("'{}' occurs twice, which some engines refuse", printable(place));
    }
    if (const auto hidden = hidden_.find(place); hidden != hidden_.end()) {
      if (is_folder) {
        find("the folder '{}' stands behind its own whiteout; with overlayfs what lower layers have in it is there",
             printable(place));
      }
      hidden_.erase(hidden);
    }
    if (!is_folder) {
      erase_below(hidden_, place);
      erase_below(emptied_, place);
      emptied_.erase(place);
    }
    upper_.put(place, std::move(inode));
  }

  /// What a hard link at `place` is another name of.
  InodePointer linked(const std::string& place, const std::string& link_target) {
    std::string target = upper_.locate(link_target, DanglingParents::followed);
    if (target == place) refuse("the hard link names itself");
    auto found = upper_.entries().find(target);
    if (found == upper_.entries().end()) {
      target = tree_.locate(link_target);
      found = tree_.entries().find(target);
      if (found == tree_.entries().end() || is_hidden(target)) {
        refuse(fmt::format("the hard link's target '{}' does not exist", printable(link_target)));
      }
      find("the hard link '{}' names '{}' of a lower layer, which engines with overlayfs refuse", printable(place),
           printable(target));
    }
    if (found->second.inode->type == EntryType::folder) {
      refuse(fmt::format("the hard link's target '{}' is a folder", printable(link_target)));
    }
    return found->second.inode;
  }

  /// Whether this layer hides `path` of the lower ones.
  bool is_hidden(std::string_view path) const {
    for (; !path.empty(); path = parent_path(path)) {
      if (hidden_.contains(path) || emptied_.contains(parent_path(path))) return true;
    }
    return false;
  }

  /// Lays one entry of this layer over the lower ones.
  void cover(const std::string& path, const InodePointer& inode) {
    const Inode* old = tree_.find(path);
    if (inode->type == EntryType::folder && old != nullptr && old->type == EntryType::symlink) {
      find("the folder '{}'{} replaces a symbolic link to '{}'", printable(path),
           inode == implied_ ? ", which this layer needs and does not list," : "", printable(old->link_target));
    }
    if (inode != implied_) {
      tree_.put(path, inode, layer_);
    } else if (old == nullptr || old->type != EntryType::folder) {
      tree_.remove(path);
      tree_.put_folder(path, layer_);
    }
  }

  FileTree& tree_;
  std::size_t layer_;
  const KeepContent& keep_content_;
  InodePointer implied_;  // stands for folders that the layer does not list
  FileTree upper_;        // what the layer itself holds
  Paths hidden_;          // whiteouts: what lower layers have at these paths is gone
  Paths emptied_;         // opaque folders: what lower layers have below is gone
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
