#include "base/normalise.hh"

#include <algorithm>
#include <array>
#include <map>

#include "tree/hashed_content.hh"

namespace veneer::base {

const std::vector<std::string> dpkg_options = {
    "path-exclude=/usr/share/doc/*",        "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/doc-base/*",   "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",       "path-exclude=/usr/share/groff/*",
    "path-exclude=/usr/share/lintian/*",    "path-exclude=/usr/share/linda/*",
    "path-exclude=/usr/share/locale/*",     "path-include=/usr/share/locale/locale.alias",
    "path-exclude=/usr/share/gnome/help/*", "path-exclude=/usr/share/omf/*",
};

namespace {

/// Folders that stay, empty.
constexpr std::array emptied = {
    "dev",
    "proc",
    "run",
    "sys",
    "tmp",
    "var/tmp",
    "var/cache/apt",
    "var/lib/apt/lists",
    "etc/apt/sources.list.d",
    "var/cache/fontconfig",
    "var/cache/man",
    "usr/share/man",
    "usr/share/info",
    "usr/share/groff",
    "usr/share/lintian",
    "usr/share/doc-base",
};

/// Files that go.
constexpr std::array removed = {
    "etc/.pwd.lock",
    "etc/apt/apt.conf.d/99mmdebstrap",
    "etc/apt/sources.list",
    "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
    "etc/group-",
    "etc/gshadow-",
    "etc/hostname",
    "etc/passwd-",
    "etc/resolv.conf",
    "etc/shadow-",
    "etc/subgid-",
    "etc/subuid-",
    "usr/lib/udev/hwdb.bin",
    "var/cache/debconf/config.dat-old",
    "var/cache/debconf/passwords.dat-old",
    "var/cache/debconf/templates.dat-old",
    "var/cache/ldconfig/aux-cache",
    "var/lib/dbus/machine-id",
    "var/lib/dpkg/diversions-old",
    "var/lib/dpkg/lock",
    "var/lib/dpkg/lock-frontend",
    "var/lib/dpkg/status-old",
    "var/lib/dpkg/statoverride-old",
    "var/lib/dpkg/triggers/Lock",
    "var/lib/systemd/catalog/database",
    "var/lib/systemd/random-seed",
};

/// What mmdebstrap puts into a root that lacks it.
constexpr std::array furniture = {"etc/fstab", "var/lib/dpkg/arch"};

bool is_below(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

bool is_documentation(std::string_view path, const tree::Inode& inode) {
  if (inode.type == archive::EntryType::folder) return false;
  if (is_below(path, "usr/share/doc")) return !path.ends_with("/copyright");
  if (is_below(path, "usr/share/locale")) return path != "usr/share/locale/locale.alias";
  return false;
}

/// Byte code that Python would check against the time of its source (PEP 552, flags 0).
bool is_timed_byte_code(std::string_view path, const tree::Inode& inode) {
  if (inode.type != archive::EntryType::file || !path.ends_with(".pyc")) return false;
  std::array<std::byte, 8> start{};
  const std::unique_ptr<ByteSource> data = inode.content->open();
  if (read_full(*data, start) < start.size()) return true;
  return load_little_endian<std::uint32_t>(start.data() + 4) == 0;
}

bool goes(std::string_view path, const tree::Inode& inode) {
  if (inode.type == archive::EntryType::character_device || inode.type == archive::EntryType::block_device) return true;
  if (std::any_of(emptied.begin(), emptied.end(), [&](const char* folder) { return is_below(path, folder); }))
    return true;
  if (path == preferences_path || std::find(removed.begin(), removed.end(), path) != removed.end()) return true;
  if (is_below(path, "var/log") && inode.type != archive::EntryType::folder) return true;
  return is_documentation(path, inode) || is_timed_byte_code(path, inode);
}

/// Folders of which documentation and translations left nothing.
bool is_prunable(std::string_view path) {
  return is_below(path, "usr/share/doc") || is_below(path, "usr/share/locale");
}

void prune_empty_folders(tree::FileTree& tree, const tree::FileTree& lower = {}) {
  std::vector<std::string> folders;
  for (const auto& [path, entry] : tree.entries()) {
    if (entry.inode->type == archive::EntryType::folder && is_prunable(path) && !lower.contains(path))
      folders.push_back(path);
  }
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) {
    const auto next = std::next(tree.entries().find(*folder));
    // What sorts between a folder and its content starts with the folder's name as well ("a", "a-b", "a/b").
    bool has_content = false;
    for (auto entry = next; entry != tree.entries().end() && entry->first.starts_with(*folder); ++entry) {
      if (is_below(entry->first, *folder)) {
        has_content = true;
        break;
      }
    }
    if (!has_content) tree.remove(*folder);
  }
}

tree::InodePointer with_fixed_time(std::string_view path, const tree::Inode& inode) {
  tree::Inode copy = inode;
  copy.mtime = fixed_time;
  if (path == "etc/machine-id") copy.content = std::make_shared<archive::MemoryContent>("");
  // Fonts are looked up by whoever runs in the container.
  if (path == "var/cache/fontconfig" && inode.type == archive::EntryType::folder) copy.mode = 01777;
  return std::make_shared<const tree::Inode>(std::move(copy));
}

}  // namespace

tree::Inode plain_folder() {
  tree::Inode folder;
  folder.type = archive::EntryType::folder;
  folder.mode = 0755;
  folder.mtime = fixed_time;
  return folder;
}

tree::FileTree normalise_root(const tree::FileTree& root) {
  tree::FileTree result;
  result.set_missing_parent(plain_folder());
  std::map<const tree::Inode*, tree::InodePointer> changed;  // keeps hard links together
  for (const auto& [path, entry] : root.entries()) {
    if (goes(path, *entry.inode)) continue;
    tree::InodePointer& inode = changed[entry.inode.get()];
    if (inode == nullptr) inode = with_fixed_time(path, *entry.inode);
    result.put(path, inode);
  }
  prune_empty_folders(result);
  std::string options = "# Written by veneer: packages are installed without documentation and translations.\n";
  for (const std::string& option : dpkg_options) options += option + "\n";
  result.put(dpkg_options_path,
             tree::make_file(std::make_shared<archive::MemoryContent>(options), 0644, 0, 0, fixed_time));
  return result;
}

namespace {

/// But for the time: those of folders change with what is put into them, and no other matters.
bool is_same(const tree::Inode& left, const tree::Inode& right, tree::ContentComparer& comparer) {
  if (left.type != right.type || left.mode != right.mode || left.uid != right.uid || left.gid != right.gid ||
      left.link_target != right.link_target || left.device_major != right.device_major ||
      left.device_minor != right.device_minor || left.xattrs != right.xattrs) {
    return false;
  }
  return left.type != archive::EntryType::file || comparer.same(*left.content, *right.content);
}

}  // namespace

tree::FileTree normalise_above(const tree::FileTree& lower, const tree::FileTree& upper) {
  // mmdebstrap takes away what keeps services from being started, whoever put it there.
  const auto stays = [](std::string_view path, const tree::Inode& inode) {
    return goes(path, inode) || path == "etc/machine-id" || path == "usr/sbin/policy-rc.d";
  };
  tree::FileTree result;
  for (const auto& [path, entry] : lower.entries()) {
    if (stays(path, *entry.inode)) result.put(path, entry.inode);
  }
  tree::ContentComparer comparer;
  std::map<const tree::Inode*, tree::InodePointer> taken;  // keeps hard links together
  for (const auto& [path, entry] : upper.entries()) {
    const auto old = lower.entries().find(path);
    const bool is_new = old == lower.entries().end();
    if (is_new && std::find(furniture.begin(), furniture.end(), path) != furniture.end()) continue;
    if (goes(path, *entry.inode) || (!is_new && stays(path, *old->second.inode))) continue;
    tree::InodePointer& inode = taken[entry.inode.get()];
    if (inode == nullptr) {
      inode = !is_new && is_same(*old->second.inode, *entry.inode, comparer) ? old->second.inode
                                                                             : with_fixed_time(path, *entry.inode);
    }
    result.put(path, inode);
  }
  prune_empty_folders(result, lower);
  return result;
}

}  // namespace veneer::base
