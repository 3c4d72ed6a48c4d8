#include "base/system_packages.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/layer_variants.hh"
#include "base/normalise.hh"
#include "base/os_release.hh"
#include "base/root_files.hh"
#include "foundation/digest.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/kept_files.hh"
#include "foundation/text.hh"
#include "image/history.hh"
#include "tree/difference.hh"
#include "tree/write_layer.hh"

namespace veneer::base {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view layer_version = "debian packages above a base 1";
bool has_sources(const tree::FileTree& tree) {
  constexpr std::string_view folder = "etc/apt/sources.list.d/";
  for (auto entry = tree.entries().lower_bound(folder);
       entry != tree.entries().end() && entry->first.starts_with(folder); ++entry) {
    if (entry->first.ends_with(".list") || entry->first.ends_with(".sources")) return true;
  }
  const tree::Inode* list = tree.find("etc/apt/sources.list");
  return list != nullptr && list->content != nullptr && list->content->size() > 0;
}

/// Where the base's packages are: with an empty suite, where the base itself says.
DebianArchive archive_for(const Base& base, const PackagesRequest& request) {
  DebianArchive archive = request.archive;
  archive.suite.clear();
  const bool is_given = !archive.mirror.empty() || !archive.snapshot.empty();
  if (!is_given && has_sources(base.tree())) return archive;
  const OsRelease release = read_os_release(*base.files);
  if (release.suite.empty() || (!is_given && release.id != "debian")) {
    throw Error(ErrorKind::refused,
                fmt::format("{} does not say where its packages are: it has no sources of apt{}", printable(base.name),
                            release.suite.empty() ? " and no VERSION_CODENAME" : ""),
                "set mirror in [tool.veneer.system], or put packages into the base itself");
  }
  archive.suite = release.suite;
  return archive;
}

LayerVariant make_layer(const Base& base, const PackagesRequest& request, const std::vector<std::string>& packages,
                        const image::LayerCache& cache, const OnLine& on_line) {
  const DebianArchive archive = archive_for(base, request);
  const Privilege privilege = detect_privilege();
  const TemporaryFolder work(request.temporary, "packages");
  const fs::path scratch = work.path() / "scratch";
  const fs::path lower_tar = work.path() / "lower.tar";
  make_folders(scratch);
  if (on_line) on_line("unpacking " + printable(base.name));
  {
    const TemporaryFolder staging(work.path(), "staging");
    write_merged_root(base, staging.path(), lower_tar);
  }
  install_packages(archive, debian_architecture(base.config.platform.architecture), privilege, lower_tar,
                   {packages, request.pins}, scratch, work.path() / "upper.tar", on_line);
  if (on_line) on_line("compressing the packages");
  const tree::FileTree lower = read_root(scratch / "lower.tar");
  const tree::FileTree raw = read_root(work.path() / "upper.tar");
  const tree::Difference difference = tree::difference(lower, normalise_above(lower, raw));
  std::vector<InstalledPackage> installed = installed_packages(raw);
  keep_hashes(installed, base.packages);
  check_hashes(request.pins, installed);
  return LayerVariants(cache, packages_key(base, request))
      .store(
          request.pins, std::move(installed),
          [&](ByteSink& blob) { return tree::write_entries(difference.entries, blob); },
          request.refresh == Refresh::yes ? LayerVariants::Replace::yes : LayerVariants::Replace::no);
}

std::optional<LayerVariant> find_layer(const Base& base, const PackagesRequest& request,
                                       const image::LayerCache& cache) {
  if (request.refresh == Refresh::yes) return std::nullopt;
  return LayerVariants(cache, packages_key(base, request)).find(request.pins);
}

}  // namespace

bool takes_packages(const Base& base) {
  const auto has = [&](const char* path) {
    const auto real = base.files->resolve(path);
    return real && base.files->inode(*real)->type == archive::EntryType::file;
  };
  return has("usr/bin/dpkg") && has("usr/bin/apt-get") && has("var/lib/dpkg/status");
}

std::string debian_suite(const tree::Lookup& root) {
  const OsRelease release = read_os_release(root);
  return release.id == "debian" ? release.suite : "";
}

std::vector<InstalledPackage> read_packages(const Base& base, const image::LayerCache& cache) {
  if (!base.packages.empty()) return base.packages;
  Sha256 hash;
  add_field(hash, "debian packages of a base 1");
  for (const image::Layer& layer : base.layers) add_field(hash, layer.diff_id.text());
  const LayerKey key{hash.finish()};
  if (const auto note = cache.note(packages_note, key)) {
    if (auto packages = packages_from_text(*note)) return std::move(*packages);
  }
  std::vector<InstalledPackage> packages = installed_packages(base.tree());
  cache.set_note(packages_note, key, packages_to_text(packages));
  return packages;
}

std::vector<std::string> packages_to_add(const Base& base, const PackagesRequest& request) {
  std::vector<std::string> packages = request.packages;
  std::sort(packages.begin(), packages.end());
  packages.erase(std::unique(packages.begin(), packages.end()), packages.end());
  const std::vector<InstalledPackage> installed =
      base.packages.empty() ? installed_packages(base.tree()) : base.packages;
  std::erase_if(packages, [&](const std::string& name) {
    return std::any_of(installed.begin(), installed.end(), [&](const InstalledPackage& package) {
      return name == package.name || name == package.name + "=" + package.version;
    });
  });
  return packages;
}

LayerKey packages_key(const Base& base, const PackagesRequest& request) {
  Sha256 hash;
  add_field(hash, layer_version);
  for (const image::Layer& layer : base.layers) add_field(hash, layer.diff_id.text());
  add_field(hash, request.archive.snapshot);
  for (const std::string& option : request.archive.options) add_field(hash, option);
  add_field(hash, "packages");
  for (const std::string& package : packages_to_add(base, request)) add_field(hash, package);
  return {hash.finish()};
}

bool has_packages(const Base& base, const PackagesRequest& request, const image::LayerCache& cache) {
  return packages_to_add(base, request).empty() || find_layer(base, request, cache).has_value();
}

std::optional<image::CachedLayer> cached_packages(const Base& base, const PackagesRequest& request,
                                                  const image::LayerCache& cache) {
  const auto variant = find_layer(base, request, cache);
  return variant ? std::optional(variant->layer) : std::nullopt;
}

Base add_packages(Base base, const PackagesRequest& request, const std::shared_ptr<image::LayerCache>& cache,
                  const OnLine& on_line) {
  const std::vector<std::string> packages = packages_to_add(base, request);
  if (packages.empty()) return base;
  const std::string names = fmt::format("{}", fmt::join(packages, " "));
  return in_context(
      [&] { return fmt::format("adding {} to {}", names, printable(base.name)); },
      [&] {
        if (!takes_packages(base)) {
          throw Error(ErrorKind::refused, "Debian packages cannot be added: the base has no dpkg and apt",
                      "take a debian: base or an image that is a Debian, or leave out [tool.veneer.system] packages");
        }
        std::optional<LayerVariant> variant = find_layer(base, request, *cache);
        if (!variant) {
          // One build makes it while others wait for it.
          const FileLock lock = lock_kept(cache->folder() / "debian.lock", FileLock::Kind::exclusive);
          variant = find_layer(base, request, *cache);
          if (!variant) variant = make_layer(base, request, packages, *cache, on_line);
        }
        image::make_history_consistent(base.config.history, base.layers.size());
        Value entry;
        entry.set("created_by", "veneer: Debian packages " + names);
        base.config.history.push_back(std::move(entry));
        base.layers.push_back(variant->layer.layer);
        base.blobs = image::blobs_of_both(base.blobs, cache);
        base.files = files_of(base, cache.get());
        keep_hashes(variant->packages, base.packages);
        base.packages = std::move(variant->packages);
        return std::move(base);
      });
}

}  // namespace veneer::base
