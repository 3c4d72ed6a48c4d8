#include "image/cache/prune.hh"

#include <algorithm>
#include <set>
#include <system_error>

#include "foundation/kept_files.hh"
#include "foundation/temporary.hh"
#include "image/cache/layer_cache.hh"

namespace veneer::image {

namespace fs = std::filesystem;

namespace {

bool has_extension(const fs::path& path, std::string_view extension) {
  const fs::path name = path.filename();
  return name.extension() == extension && Hash::from_hex(name.stem().native());
}

class Pruning {
 public:
  Pruning(fs::path folder, fs::file_time_type before)
      : folder_(std::move(folder)), before_(before), files_(folder_ / "known") {}

  CacheUsage run() {
    layers();
    each("notes", [&](const fs::path& kind) {
      keep(kind, [&](const fs::path& path) {
        return has_extension(path, ".note") && is_recent(path) && files_.read_text(path, largest_note);
      });
    });
    each("wheels", [&](const fs::path& place) {
      const std::optional<Hash> hash = Hash::from_hex(place.filename().native());
      keep(place, [&](const fs::path& path) {
        if (!is_recent(path)) return false;
        const std::string name = path.filename().native();
        return name == ".part" || name == ".part.etag" || (name[0] != '.' && hash && files_.is_whole(path, *hash));
      });
    });
    each("built", [&](const fs::path& place) {
      keep(place, [&](const fs::path& path) {
        const fs::path wheel = path.extension() == ".sha256" ? fs::path(path).replace_extension() : path;
        const std::optional<Hash> hash = files_.kept_hash(wheel);
        return wheel.extension() == ".whl" && hash && is_recent(wheel) && files_.is_whole(wheel, *hash);
      });
    });
    keep(folder_ / "roots", [&](const fs::path& path) {
      // Unpacked bases: each goes as a whole or stays, with its seal.
      const fs::path root = path.extension() == ".seal" ? fs::path(path).replace_extension() : path;
      return Hash::from_hex(root.filename().native()) && is_recent(root) && files_.is_sealed(root);
    });
    keep(folder_ / "workshops", [&](const fs::path& path) { return is_recent(path); });
    // Whoever takes an image from an engine need not hold the cache's lock; the file it writes has one of its own.
    remove_abandoned(folder_ / "engine-images");
    keep(folder_ / "engine-images", [&](const fs::path& path) {
      return path.filename().native().starts_with('.') || (has_extension(path, ".tar") && is_recent(path));
    });
    keep(folder_ / "registry-blobs", [&](const fs::path& path) {
      if (path.extension() == ".lock") return true;
      return is_recent(path) && (path.extension() == ".part" || has_extension(path, ""));
    });
    keep(folder_ / "tmp", [](const fs::path&) { return false; });
    keep(folder_ / "known", [&](const fs::path& path) { return has_extension(path, "") && is_recent(path); });
    return freed_;
  }

 private:
  template <typename Action>
  void each(std::string_view part, const Action& action) {
    for (const fs::path& path : listing(folder_ / part)) {
      action(path);
      std::error_code error;
      if (fs::is_empty(path, error)) fs::remove(path, error);
    }
  }

  /// Removes everything in `place` (which too, when it is no folder) that `is_kept` does not want.
  template <typename IsKept>
  void keep(const fs::path& place, const IsKept& is_kept) {
    std::error_code error;
    if (fs::exists(fs::symlink_status(place, error)) && !fs::is_directory(fs::symlink_status(place, error))) {
      remove(place);
    }
    for (const fs::path& path : listing(place)) {
      if (!is_kept(path)) remove(path);
    }
  }

  void layers() {
    std::set<std::string> named;
    keep(folder_ / "layers", [&](const fs::path& path) {
      if (!has_extension(path, ".json") || !is_recent(path)) return false;
      const std::optional<CachedLayer> cached = read_layer_entry(path, files_);
      if (!cached) return false;
      const BlobDigest& blob = cached->layer.blob;
      if (!files_.is_whole(folder_ / "blobs" / "sha256" / blob.hex(), blob.hash)) return false;
      named.insert(blob.hex());
      return true;
    });
    keep(folder_ / "blobs", [](const fs::path& path) { return path.filename() == "sha256"; });
    keep(folder_ / "blobs" / "sha256", [&](const fs::path& path) { return named.contains(path.filename().native()); });
  }

  bool is_recent(const fs::path& path) const {
    std::error_code error;
    const fs::file_time_type time = fs::last_write_time(path, error);
    return !error && time >= before_;
  }

  void remove(const fs::path& path) {
    std::error_code error;
    CacheUsage found;
    const auto count = [&](const fs::directory_entry& entry) {
      if (!entry.is_regular_file(error) || entry.is_symlink(error)) return;
      ++found.files;
      found.bytes += entry.file_size(error);
    };
    count(fs::directory_entry(path, error));
    if (fs::is_directory(fs::symlink_status(path, error))) {
      for (const auto& entry : fs::recursive_directory_iterator(path, error)) count(entry);
    }
    fs::remove_all(path, error);
    if (error) return;
    freed_.files += found.files;
    freed_.bytes += found.bytes;
  }

  static std::vector<fs::path> listing(const fs::path& place) {
    std::error_code error;
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(place, error)) paths.push_back(entry.path());
    return paths;
  }

  fs::path folder_;
  fs::file_time_type before_;
  KeptFiles files_;
  CacheUsage freed_{"pruned", 0, 0};
};

}  // namespace

std::vector<CacheUsage> cache_usage(const fs::path& folder) {
  std::vector<CacheUsage> usage;
  std::error_code error;
  for (const auto& part : fs::directory_iterator(folder, error)) {
    if (!part.is_directory()) continue;
    CacheUsage row;
    row.name = part.path().filename();
    for (const auto& entry : fs::recursive_directory_iterator(part.path(), error)) {
      if (!entry.is_regular_file()) continue;
      ++row.files;
      row.bytes += entry.file_size();
    }
    if (row.bytes > 0) usage.push_back(row);  // scratch folders and what is known of files take no room
  }
  std::sort(usage.begin(), usage.end(), [](const auto& left, const auto& right) { return left.name < right.name; });
  return usage;
}

CacheUsage prune_cache(const fs::path& folder, fs::file_time_type before) {
  std::error_code error;
  // What somebody names by mistake may well have a folder "notes" or "tmp".
  if (!fs::is_directory(folder / "layers", error) || !fs::is_directory(folder / "blobs" / "sha256", error)) {
    return {"pruned", 0, 0};
  }
  const FileLock lock = lock_kept(folder / "lock", FileLock::Kind::exclusive);
  return Pruning(folder, before).run();
}

}  // namespace veneer::image
