#include "base/debian.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "archive/compression.hh"
#include "base/layer_variants.hh"
#include "base/normalise.hh"
#include "base/root_files.hh"
#include "foundation/digest.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/standard_path.hh"
#include "tree/difference.hh"
#include "tree/write_layer.hh"

namespace veneer::base {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view format_version = "debian base 2";

void add_root_fields(Sha256& hash, const DebianRequest& request) {
  add_field(hash, format_version);
  add_field(hash, request.archive.suite);
  add_field(hash, request.archive.snapshot);
  add_field(hash, request.architecture);
  for (const std::string& option : request.archive.options) add_field(hash, option);
}

void unpack_blob(const image::LayerCache& cache, const image::Layer& layer, const fs::path& target) {
  const std::unique_ptr<ByteSource> tar = archive::open_encoded(cache.open(layer.blob), layer.encoding);
  AtomicFile file(target, 0600);
  copy(*tar, file);
  file.commit();
}

/// Before it is kept: the mirror may have another machine's packages, or something else altogether.
void judge_root(const tree::FileTree& root, const DebianRequest& request) {
  const std::string wanted = debian_architecture(request.architecture);
  const std::string found = native_architecture(root);
  if (found == wanted) return;
  throw Error(ErrorKind::refused, found.empty()
                                      ? "the new root has no dpkg, so it is no Debian"
                                      : fmt::format("the new root is for {}, not for {}", printable(found), wanted));
}

LayerVariants::Replace replace_for(const DebianRequest& request) {
  return request.refresh == Refresh::yes ? LayerVariants::Replace::yes : LayerVariants::Replace::no;
}

LayerVariant make_root_layer(const DebianRequest& request, const image::LayerCache& cache, const OnLine& on_line) {
  const TemporaryFolder work(request.temporary, "debian");
  const fs::path scratch = work.path() / "scratch";
  make_folders(scratch);
  make_minimal_root(request.archive, debian_architecture(request.architecture), detect_privilege(), request.pins,
                    scratch, work.path() / "root.tar", on_line);
  if (on_line) on_line("compressing the minimal system");
  const tree::FileTree raw = read_root(work.path() / "root.tar");
  const tree::FileTree root = normalise_root(raw);
  judge_root(root, request);
  std::vector<InstalledPackage> packages = installed_packages(raw);
  check_hashes(request.pins, packages);
  return LayerVariants(cache, debian_root_key(request))
      .store(
          request.pins, std::move(packages), [&](ByteSink& blob) { return tree::write_layer(root, blob); },
          replace_for(request));
}

LayerVariant make_packages_layer(const DebianRequest& request, const image::LayerCache& cache,
                                 const LayerVariant& below, const OnLine& on_line) {
  const TemporaryFolder work(request.temporary, "debian");
  const fs::path scratch = work.path() / "scratch";
  make_folders(scratch);
  unpack_blob(cache, below.layer.layer, work.path() / "lower.tar");
  install_packages(request.archive, debian_architecture(request.architecture), detect_privilege(),
                   work.path() / "lower.tar", {debian_packages(request), request.pins}, scratch,
                   work.path() / "upper.tar", on_line);
  if (on_line) on_line("compressing the packages");
  const tree::FileTree lower = read_root(scratch / "lower.tar");
  const tree::FileTree raw = read_root(work.path() / "upper.tar");
  const tree::FileTree upper = normalise_root(raw);
  judge_root(upper, request);
  std::vector<InstalledPackage> packages = installed_packages(raw);
  keep_hashes(packages, below.packages);
  check_hashes(request.pins, packages);
  const tree::Difference difference = tree::difference(lower, upper);
  return LayerVariants(cache, debian_packages_key(request, below.layer.layer.diff_id))
      .store(
          request.pins, std::move(packages),
          [&](ByteSink& blob) { return tree::write_entries(difference.entries, blob); }, replace_for(request));
}

/// The two layers of a base, as far as the cache has them.
struct DebianLayers {
  std::optional<LayerVariant> root;
  std::optional<LayerVariant> packages;
};

DebianLayers find_layers(const DebianRequest& request, const image::LayerCache& cache) {
  DebianLayers found;
  found.root = LayerVariants(cache, debian_root_key(request)).find(request.pins);
  if (found.root) {
    found.packages =
        LayerVariants(cache, debian_packages_key(request, found.root->layer.layer.diff_id)).find(request.pins);
  }
  return found;
}

Value history_entry(std::string text) {
  Value entry;
  entry.set("created_by", std::move(text));
  return entry;
}

}  // namespace

std::vector<std::string> debian_packages(const DebianRequest& request) {
  std::vector<std::string> packages = {"ca-certificates", "netbase", "tzdata"};
  if (request.python == DebianRequest::Python::included) packages.insert(packages.begin() + 2, "python3");
  return packages;
}

LayerKey debian_root_key(const DebianRequest& request) {
  Sha256 hash;
  add_root_fields(hash, request);
  return {hash.finish()};
}

LayerKey debian_packages_key(const DebianRequest& request, const DiffId& root) {
  Sha256 hash;
  add_root_fields(hash, request);
  add_field(hash, root.text());
  for (const std::string& package : debian_packages(request)) add_field(hash, package);
  return {hash.finish()};
}

bool has_debian_base(const DebianRequest& request, const image::LayerCache& cache) {
  return request.refresh == Refresh::no && find_layers(request, cache).packages.has_value();
}

Base make_debian_base(const DebianRequest& request, const std::shared_ptr<image::LayerCache>& cache,
                      const OnLine& on_line) {
  return in_context([&] { return "making the base debian:" + printable(request.archive.suite); },
                    [&] {
                      DebianLayers layers;
                      if (request.refresh == Refresh::no) layers = find_layers(request, *cache);
                      if (!layers.packages) {
                        // One build makes it while others wait for it.
                        const FileLock lock = lock_kept(cache->folder() / "debian.lock", FileLock::Kind::exclusive);
                        if (request.refresh == Refresh::no) layers = find_layers(request, *cache);
                        if (!layers.root) layers.root = make_root_layer(request, *cache, on_line);
                        if (!layers.packages) {
                          layers.packages = make_packages_layer(request, *cache, *layers.root, on_line);
                        }
                      }
                      Base base;
                      base.name = "debian:" + request.archive.suite;
                      base.layers = {layers.root->layer.layer, layers.packages->layer.layer};
                      base.config.platform = {"linux", request.architecture, request.architecture == "arm" ? "v7" : ""};
                      Value run;
                      run.set("Env", Value::Array{fmt::format("PATH={}", standard_path)});
                      run.set("Cmd", Value::Array{"bash"});
                      base.config.run = std::move(run);
                      base.config.history = {history_entry("veneer: " + base.name),
                                             history_entry(fmt::format("veneer: Debian packages {}",
                                                                       fmt::join(debian_packages(request), " ")))};
                      base.blobs = cache;
                      base.files = files_of(base, cache.get());
                      base.packages = std::move(layers.packages->packages);
                      keep_hashes(base.packages, layers.root->packages);
                      return base;
                    });
}

}  // namespace veneer::base
