#include "tree/unpack.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "foundation/error.hh"
#include "foundation/file.hh"

namespace veneer::tree {

namespace {

namespace fs = std::filesystem;

/// Unsynced: who wants that syncs all at once at the end.
void write_file(const fs::path& path, ByteSource& data) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) throw_system_error("make", path, errno);
  Bytes buffer(1 << 17);
  while (const std::size_t count = data.read(buffer)) {
    ByteView rest = ByteView(buffer).first(count);
    while (!rest.empty()) {
      const ssize_t written = ::write(file.get(), rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw_system_error("write", path, errno);
      rest = rest.subspan(static_cast<std::size_t>(written));
    }
  }
}

void check(int result, std::string_view act, const fs::path& path) {
  if (result != 0) throw_system_error(act, path, errno);
}

}  // namespace

KeepContent keep_in(const fs::path& staging) {
  auto number = std::make_shared<std::uint64_t>(0);
  return [staging, number](const archive::TarEntry& entry, ByteSource& data, std::uint64_t) {
    const fs::path path = staging / std::to_string((*number)++);
    write_file(path, data);
    return std::make_shared<archive::FileContent>(path, entry.size);
  };
}

/// Folders first, then files, links last: no path that is written to leads through a link.
void move_to(const FileTree& tree, const fs::path& root, Owners owners) {
  std::map<const Inode*, fs::path> written;
  const auto give = [&](const fs::path& path, const Inode& inode) {
    if (owners == Owners::mine) return;
    check(::lchown(path.c_str(), static_cast<uid_t>(inode.uid), static_cast<gid_t>(inode.gid)), "give away", path);
  };
  for (const auto& [path, entry] : tree.entries()) {
    if (entry.inode->type == archive::EntryType::folder)
      check(::mkdir((root / path).c_str(), 0755), "make", root / path);
  }
  for (const auto& [path, entry] : tree.entries()) {
    if (entry.inode->type != archive::EntryType::file) continue;
    const fs::path target = root / path;
    const auto [first, is_new] = written.try_emplace(entry.inode.get(), target);
    if (!is_new) {
      check(::link(first->second.c_str(), target.c_str()), "link", target);
      continue;
    }
    const auto& content = dynamic_cast<const archive::FileContent&>(*entry.inode->content);
    if (::rename(content.path().c_str(), target.c_str()) != 0) {
      throw_system_error("move", target, errno);
    }
    give(target, *entry.inode);
    check(::chmod(target.c_str(), (entry.inode->mode & 0777) | 0400), "write", target);
  }
  for (const auto& [path, entry] : tree.entries()) {
    if (entry.inode->type != archive::EntryType::symlink) continue;
    check(::symlink(entry.inode->link_target.c_str(), (root / path).c_str()), "link", root / path);
    give(root / path, *entry.inode);
  }
  for (auto entry = tree.entries().rbegin(); entry != tree.entries().rend(); ++entry) {
    if (entry->second.inode->type != archive::EntryType::folder) continue;
    const fs::path path = root / entry->first;
    give(path, *entry->second.inode);
    check(::chmod(path.c_str(), (entry->second.inode->mode & 0777) | 0700), "write", path);
  }
}

}  // namespace veneer::tree
