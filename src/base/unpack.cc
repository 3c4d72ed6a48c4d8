#include "base/unpack.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "image/open_layer.hh"
#include "tree/apply_layer.hh"

namespace veneer::base {

namespace {

namespace fs = std::filesystem;

/// Unsynced: all is synced at once at the end.
void write_file(const fs::path& path, ByteSource& data) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) throw_system_error("making", path, errno);
  Bytes buffer(1 << 17);
  while (const std::size_t count = data.read(buffer)) {
    ByteView rest = ByteView(buffer).first(count);
    while (!rest.empty()) {
      const ssize_t written = ::write(file.get(), rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw_system_error("writing", path, errno);
      rest = rest.subspan(static_cast<std::size_t>(written));
    }
  }
}

void sync_file_system(const fs::path& folder) {
  const FileDescriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() < 0 || ::syncfs(file.get()) != 0) throw_system_error("writing", folder, errno);
}

/// Reads every layer once; contents are files in `staging`.
tree::FileTree stage(const Base& base, const fs::path& staging) {
  tree::FileTree tree;
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < base.layers.size(); ++i) {
    const std::unique_ptr<ByteSource> tar = image::open_layer(*base.blobs, base.layers[i]);
    tree::apply_layer(tree, *tar, i, [&](const archive::TarEntry& entry, ByteSource& data, std::uint64_t) {
      const fs::path path = staging / std::to_string(number++);
      write_file(path, data);
      return std::make_shared<archive::FileContent>(path, entry.size);
    });
  }
  return tree;
}

void check(int result, std::string_view doing, const fs::path& path) {
  if (result != 0) throw_system_error(doing, path, errno);
}

/// Folders first, then files, links last: no path that is written to leads through a link.
void write_tree(const tree::FileTree& tree, const fs::path& root) {
  std::map<const tree::Inode*, fs::path> written;
  for (const auto& [path, entry] : tree.entries()) {
    if (entry.inode->type == archive::EntryType::folder)
      check(::mkdir((root / path).c_str(), 0755), "making", root / path);
  }
  for (const auto& [path, entry] : tree.entries()) {
    if (entry.inode->type != archive::EntryType::file) continue;
    const fs::path target = root / path;
    const auto [first, is_new] = written.try_emplace(entry.inode.get(), target);
    if (!is_new) {
      check(::link(first->second.c_str(), target.c_str()), "linking", target);
      continue;
    }
    const auto& content = dynamic_cast<const archive::FileContent&>(*entry.inode->content);
    if (::rename(content.path().c_str(), target.c_str()) != 0) {
      throw_system_error("moving", target, errno);
    }
    check(::chmod(target.c_str(), (entry.inode->mode & 0777) | 0400), "writing", target);
  }
  for (const auto& [path, entry] : tree.entries()) {
    if (entry.inode->type != archive::EntryType::symlink) continue;
    check(::symlink(entry.inode->link_target.c_str(), (root / path).c_str()), "linking", root / path);
  }
  for (auto entry = tree.entries().rbegin(); entry != tree.entries().rend(); ++entry) {
    if (entry->second.inode->type != archive::EntryType::folder) continue;
    const fs::path path = root / entry->first;
    check(::chmod(path.c_str(), (entry->second.inode->mode & 0777) | 0700), "writing", path);
  }
}

}  // namespace

fs::path unpacked_root(const Base& base, const fs::path& cache_folder) {
  Sha256 hash;
  hash.update("unpacked base 1\n");
  for (const image::Layer& layer : base.layers) hash.update(layer.diff_id.text() + "\n");
  const fs::path roots = cache_folder / "roots";
  const std::string name = hash.finish().hex();
  const fs::path root = roots / name;
  std::error_code error;
  if (fs::is_directory(root, error)) {
    fs::last_write_time(root, fs::file_time_type::clock::now(), error);  // says that it is in use
    return roots / name;
  }
  make_folders(roots);
  in_context([] { return "unpacking the base"; },
             [&] {
               const TemporaryFolder scratch(roots, ".new-");
               make_folders(scratch.path() / "staging");
               const tree::FileTree tree = stage(base, scratch.path() / "staging");
               const fs::path made = scratch.path() / "root";
               make_folders(made);
               write_tree(tree, made);
               // Everybody may enter: programs of the base run as another user.
               check(::chmod(made.c_str(), 0755), "writing", made);
               sync_file_system(made);
               if (::rename(made.c_str(), root.c_str()) != 0 && errno != ENOTEMPTY && errno != EEXIST) {
                 throw_system_error("making", root, errno);
               }
             });
  return roots / name;
}

}  // namespace veneer::base
