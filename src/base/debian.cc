#include "base/debian.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "archive/compression.hh"
#include "base/normalise.hh"
#include "base/root_files.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
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

image::CachedLayer make_root_layer(const DebianRequest& request, const image::LayerCache& cache,
                                   const OnLine& on_line) {
  const TemporaryFolder work(request.temporary, "debian");
  const fs::path scratch = work.path() / "scratch";
  make_folders(scratch);
  make_minimal_root(request.archive, debian_architecture(request.architecture), detect_privilege(), scratch,
                    work.path() / "root.tar", on_line);
  if (on_line) on_line("compressing the minimal system");
  const tree::FileTree root = normalise_root(read_root(work.path() / "root.tar"));
  judge_root(root, request);
  return cache.store(debian_root_key(request), [&](ByteSink& blob) { return tree::write_layer(root, blob); });
}

image::CachedLayer make_packages_layer(const DebianRequest& request, const image::LayerCache& cache,
                                       const image::Layer& root_layer, const OnLine& on_line) {
  const TemporaryFolder work(request.temporary, "debian");
  const fs::path scratch = work.path() / "scratch";
  make_folders(scratch);
  unpack_blob(cache, root_layer, work.path() / "lower.tar");
  install_packages(request.archive, debian_architecture(request.architecture), detect_privilege(),
                   work.path() / "lower.tar", debian_packages(request), scratch, work.path() / "upper.tar", on_line);
  if (on_line) on_line("compressing the packages");
  const tree::FileTree lower = read_root(scratch / "lower.tar");
  const tree::FileTree raw = read_root(work.path() / "upper.tar");
  const tree::FileTree upper = normalise_root(raw);
  judge_root(upper, request);
  const std::string packages = packages_to_text(installed_packages(raw));
  const tree::Difference difference = tree::difference(lower, upper);
  const LayerKey key = debian_packages_key(request, root_layer.diff_id);
  cache.set_note(packages_note, key, packages);
  return cache.store(key, [&](ByteSink& blob) { return tree::write_entries(difference.entries, blob); });
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
  if (request.refresh == DebianRequest::Refresh::yes) return false;
  const auto root = cache.find(debian_root_key(request));
  return root && cache.find(debian_packages_key(request, root->layer.diff_id));
}

Base make_debian_base(const DebianRequest& request, const std::shared_ptr<image::LayerCache>& cache,
                      const OnLine& on_line) {
  return in_context([&] { return "making the base debian:" + printable(request.archive.suite); },
                    [&] {
                      std::optional<image::CachedLayer> root;
                      std::optional<image::CachedLayer> packages;
                      if (!has_debian_base(request, *cache)) {
                        // One build makes it while others wait for it.
                        const FileLock lock = lock_kept(cache->folder() / "debian.lock", FileLock::Kind::exclusive);
                        const bool refresh = request.refresh == DebianRequest::Refresh::yes;
                        if (!refresh) root = cache->find(debian_root_key(request));
                        if (!root) root = make_root_layer(request, *cache, on_line);
                        if (!refresh) packages = cache->find(debian_packages_key(request, root->layer.diff_id));
                        if (!packages) packages = make_packages_layer(request, *cache, root->layer, on_line);
                      }
                      if (!root) root = cache->find(debian_root_key(request));
                      if (root && !packages) packages = cache->find(debian_packages_key(request, root->layer.diff_id));
                      if (!root || !packages)
                        throw Error(ErrorKind::failed, "the cache was emptied by another process; run it again");

                      Base base;
                      base.name = "debian:" + request.archive.suite;
                      base.layers = {root->layer, packages->layer};
                      base.config.platform = {"linux", request.architecture, request.architecture == "arm" ? "v7" : ""};
                      Value run;
                      run.set("Env", Value::Array{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"});
                      run.set("Cmd", Value::Array{"bash"});
                      base.config.run = std::move(run);
                      base.config.history = {history_entry("veneer: " + base.name),
                                             history_entry(fmt::format("veneer: Debian packages {}",
                                                                       fmt::join(debian_packages(request), " ")))};
                      base.blobs = cache;
                      base.tree = read_tree(base.layers, base.blobs, cache.get());
                      const LayerKey packages_key = debian_packages_key(request, root->layer.diff_id);
                      if (const auto note = cache->note(packages_note, packages_key)) {
                        base.packages = packages_from_text(*note).value_or(std::vector<InstalledPackage>());
                      }
                      if (base.packages.empty()) {
                        base.packages = installed_packages(base.tree);
                        cache->set_note(packages_note, packages_key, packages_to_text(base.packages));
                      }
                      return base;
                    });
}

}  // namespace veneer::base
