#include "base/interpreter.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "archive/compression.hh"
#include "base/normalise.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "tree/apply_layer.hh"
#include "tree/read_text.hh"
#include "tree/write_layer.hh"

namespace veneer::base {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view place = "usr/local";
constexpr std::uint64_t most_unpacked = 4ull << 30;
constexpr std::uint64_t largest_build_file = 16 << 20;

/// The folder of the archive that holds bin and lib, with a slash at its end.
std::string find_top(const tree::FileTree& unpacked) {
  for (const char* top : {"python/install/", "python/"}) {
    const std::string programs = fmt::format("{}bin/python3.", top);
    const auto found = unpacked.entries().lower_bound(programs);
    if (found != unpacked.entries().end() && found->first.starts_with(programs)) return top;
  }
  throw Error(ErrorKind::refused, "the archive holds no python/bin/python3.*, so it is no interpreter of uv's");
}

bool has_part(std::string_view path, std::string_view part) {
  return fmt::format("/{}/", path).find(fmt::format("/{}/", part)) != std::string::npos;
}

/// `path` begins at the prefix: "lib/python3.12/test".
bool is_left_out(std::string_view path) {
  if (path == "share/man" || path.starts_with("share/man/")) return true;
  if (has_part(path, "__pycache__") || path.ends_with(".pyc") || path.ends_with(".a") || path.ends_with(".o"))
    return true;
  if (!path.starts_with("lib/python3.") || has_part(path, "site-packages")) return false;
  return has_part(path, "test") || has_part(path, "tests") || has_part(path, "idle_test");
}

bool tells_prefix(std::string_view path) {
  const std::string_view name = tree::base_name(path);
  return (name.starts_with("_sysconfigdata") && name.ends_with(".py")) ||
         (name.starts_with("_sysconfig_vars") && name.ends_with(".json")) || name == "build-details.json" ||
         name == "Makefile" || name.ends_with(".pc") || (path.starts_with("bin/python3") && name.ends_with("-config"));
}

/// What its builder gave as --prefix; empty when it does not say.
std::string built_prefix(const tree::FileTree& unpacked) {
  for (const auto& [path, entry] : unpacked.entries()) {
    if (entry.inode->type != archive::EntryType::file || !tree::base_name(path).starts_with("_sysconfigdata")) continue;
    const std::string text = tree::read_text(unpacked, path, largest_build_file);
    constexpr std::string_view mark = "'prefix': '";
    const std::size_t at = text.find(mark);
    if (at == std::string::npos) continue;
    const std::size_t start = at + mark.size();
    std::string prefix = text.substr(start, text.find('\'', start) - start);
    if (prefix.size() > 1 && prefix[0] == '/') return prefix;
  }
  return {};
}

tree::InodePointer canonical(const tree::Inode& inode) {
  auto result = std::make_shared<tree::Inode>(inode);
  result->uid = 0;
  result->gid = 0;
  result->mtime = fixed_time;
  result->xattrs.clear();
  const bool is_executable = inode.type == archive::EntryType::folder || (inode.mode & 0111) != 0;
  result->mode = inode.type == archive::EntryType::symlink ? 0777 : is_executable ? 0755 : 0644;
  return result;
}

tree::FileTree read_archive(const fs::path& archive, const fs::path& tar) {
  {
    AtomicFile file(tar, 0600);
    const std::unique_ptr<ByteSource> data = archive::open_sniffed(std::make_unique<File>(archive));
    copy(*data, file, most_unpacked);
    file.commit();
  }
  const auto file = std::make_shared<File>(tar);
  SliceSource source(file, 0, file->size());
  tree::FileTree result;
  tree::apply_layer(result, source, 0, [&](const archive::TarEntry& entry, ByteSource&, std::uint64_t offset) {
    return std::make_shared<archive::SliceContent>(file, offset, entry.size);
  });
  return result;
}

}  // namespace

std::string with_prefix(std::string_view text, std::string_view from, std::string_view to) {
  constexpr std::string_view around = " \t\n\r\"'=:;,()[]{}`$";
  std::string result;
  std::size_t word = 0;  // where the current word begins
  for (std::size_t at = 0; at < text.size();) {
    if (around.find(text[at]) != std::string_view::npos) {
      word = at + 1;
    } else if (text.substr(at).starts_with(from) && text.substr(word, at - word).find('/') == std::string_view::npos) {
      const std::size_t end = at + from.size();
      if (end == text.size() || text[end] == '/' || text[end] == '\\' ||
          around.find(text[end]) != std::string_view::npos) {
        result += to;
        at = end;
        continue;
      }
    }
    result += text[at++];
  }
  return result;
}

LayerKey interpreter_key(const FileHash& archive) {
  return {sha256(fmt::format("veneer interpreter layer 1\nin {}\nof {}", place, archive.text()))};
}

tree::FileTree interpreter_tree(const tree::FileTree& unpacked) {
  const std::string top = find_top(unpacked);
  const std::string prefix = built_prefix(unpacked);
  tree::FileTree result;
  result.set_missing_parent(plain_folder());
  std::map<const tree::Inode*, tree::InodePointer> made;  // names that share one go on sharing one
  for (const auto& [path, entry] : unpacked.entries()) {
    if (!path.starts_with(top)) continue;
    const std::string below = path.substr(top.size());
    const tree::Inode& inode = *entry.inode;
    if (is_left_out(below)) continue;
    if (inode.type == archive::EntryType::folder) {
      result.put_folder(tree::join_path(place, below));
      continue;
    }
    if (inode.type != archive::EntryType::file && inode.type != archive::EntryType::symlink) {
      throw Error(ErrorKind::refused,
                  fmt::format("the archive holds {}, which is neither file nor link", printable(path)));
    }
    tree::InodePointer& copied = made[&inode];
    if (!copied) copied = canonical(inode);
    if (inode.type == archive::EntryType::file && !prefix.empty() && tells_prefix(below)) {
      const std::string text =
          with_prefix(tree::read_text(unpacked, path, largest_build_file), prefix, fmt::format("/{}", place));
      copied = tree::make_file(std::make_shared<archive::MemoryContent>(text), copied->mode, 0, 0, fixed_time);
    }
    result.put(tree::join_path(place, below), copied);
  }
  return result;
}

image::CachedLayer make_interpreter_layer(const fs::path& archive, const FileHash& hash, const image::LayerCache& cache,
                                          const fs::path& temporary) {
  const TemporaryFolder work(temporary, "interpreter");
  const tree::FileTree tree = in_context([&] { return "reading " + printable(archive.filename().native()); },
                                         [&] { return interpreter_tree(read_archive(archive, work.path() / "tar")); });
  return cache.store(interpreter_key(hash), [&](ByteSink& blob) { return tree::write_layer(tree, blob); });
}

void add_interpreter(Base& base, const Interpreter& interpreter, const image::Layer& layer,
                     const image::LayerCache& cache) {
  base.interpreter_layer = base.layers.size();
  base.layers.push_back(layer);
  Value entry;
  entry.set("created_by", fmt::format("veneer: Python {} of uv's", interpreter.version));
  base.config.history.push_back(std::move(entry));
  base.interpreter = interpreter;
  base.files = files_of(base, &cache);
}

}  // namespace veneer::base
