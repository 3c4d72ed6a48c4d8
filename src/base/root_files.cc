#include "base/root_files.hh"

#include <fmt/format.h>

#include "base/unpack.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "tree/apply_layer.hh"
#include "tree/write_layer.hh"

namespace veneer::base {

namespace fs = std::filesystem;

std::string debian_architecture(const std::string& architecture) {
  if (architecture == "arm") return "armhf";
  if (architecture == "386") return "i386";
  if (architecture == "ppc64le") return "ppc64el";
  return architecture;
}

void add_field(Sha256& hash, std::string_view text) {
  hash.update(fmt::format("{}:", text.size()));
  hash.update(text);
}

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
  const tree::FileTree tree = stage(base, staging);
  AtomicFile file(tar, 0600);
  tree::write_tar(tree::tree_entries(tree), file);
  file.commit();
}

}  // namespace veneer::base
