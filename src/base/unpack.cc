#include "base/unpack.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <set>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "image/open_layer.hh"
#include "tree/apply_layer.hh"
#include "tree/unpack.hh"

namespace veneer::base {

namespace {

namespace fs = std::filesystem;

void sync_file_system(const fs::path& folder) {
  const FileDescriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() < 0 || ::syncfs(file.get()) != 0) throw_system_error("write", folder, errno);
}

}  // namespace

tree::FileTree stage(const std::vector<PlacedLayer>& layers, const fs::path& staging,
                     const std::function<void(std::size_t)>& on_layer) {
  tree::FileTree tree;
  const tree::KeepContent keep = tree::keep_in(staging);
  std::map<const image::Blobs*, std::set<BlobDigest>> wanted;
  for (const PlacedLayer& placed : layers) wanted[placed.blobs].insert(placed.layer->blob);
  for (const auto& [blobs, digests] : wanted) blobs->bring(digests);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (on_layer) on_layer(i);
    const image::Layer& layer = *layers[i].layer;
    const image::Blobs& blobs = *layers[i].blobs;
    in_context(
        [&] { return fmt::format("layer {} ({})", i + 1, layer.blob.text()); },
        [&] { image::read_layer(blobs, layer, [&](ByteSource& tar) { tree::apply_layer(tree, tar, i, keep); }); });
  }
  return tree;
}

tree::FileTree stage(const Base& base, const fs::path& staging) {
  std::vector<PlacedLayer> layers;
  for (const image::Layer& layer : base.layers) layers.push_back({&layer, base.blobs.get()});
  return stage(layers, staging);
}

fs::path unpacked_root(const Base& base, const fs::path& cache_folder, const KeptFiles& files) {
  Sha256 hash;
  hash.update("unpacked base 1\n");
  for (const image::Layer& layer : base.layers) hash.update(layer.diff_id.text() + "\n");
  const fs::path roots = cache_folder / "roots";
  const std::string name = hash.finish().hex();
  fs::path root = roots / name;
  std::error_code error;
  make_folders(roots);
  const FileLock lock = lock_kept(roots / (name + ".lock"), FileLock::Kind::exclusive);
  if (files.is_sealed(root)) {
    fs::last_write_time(root, fs::file_time_type::clock::now(), error);  // says that it is in use
    return root;
  }
  in_context([] { return "unpacking the base"; },
             [&] {
               const TemporaryFolder scratch(cache_folder / "tmp", "root");
               make_folders(scratch.path() / "staging");
               const tree::FileTree tree = stage(base, scratch.path() / "staging");
               const fs::path made = scratch.path() / "root";
               make_folders(made);
               tree::move_to(tree, made);
               // Everybody may enter: programs of the base run as another user.
               if (::chmod(made.c_str(), 0755) != 0) throw_system_error("write", made, errno);
               sync_file_system(made);
               clear_place(root);
               files.seal(root, made);
               if (::rename(made.c_str(), root.c_str()) != 0) throw_system_error("make", root, errno);
             });
  return root;
}

}  // namespace veneer::base
