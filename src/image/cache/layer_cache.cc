#include "image/cache/layer_cache.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <system_error>

#include "foundation/error.hh"
#include "foundation/fail_point.hh"
#include "foundation/json.hh"

namespace veneer::image {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t entry_limit = 64 * 1024;
constexpr std::uint64_t note_limit = 256ull << 20;

fs::path lock_path(const fs::path& folder) {
  make_folders(folder);
  return folder / "lock";
}

fs::path entry_path(const fs::path& folder, const LayerKey& key) { return folder / "layers" / (key.hex() + ".json"); }
fs::path blob_path(const fs::path& folder, const BlobDigest& digest) {
  return folder / "blobs" / "sha256" / digest.hex();
}

/// "Used" is the file's modification time; failing to mark it is no reason to fail.
void mark_used(const fs::path& path) { ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0); }

std::uint64_t unsigned_at(const Value& value, std::string_view key) {
  const std::int64_t number = value.at(key).integer();
  if (number < 0) throw Error(ErrorKind::refused, fmt::format("'{}' is negative", key));
  return static_cast<std::uint64_t>(number);
}

std::string entry_text(const CachedLayer& cached) {
  Value value;
  value.set("diff_id", cached.layer.diff_id.text());
  value.set("tar_size", cached.tar_size);
  value.set("blob", cached.layer.blob.text());
  value.set("size", cached.layer.size);
  return to_json(value) + "\n";
}

CachedLayer read_entry(const fs::path& path) {
  const Value value = parse_json(read_text_file(path, entry_limit));
  CachedLayer cached;
  cached.layer.diff_id = DiffId::parse(value.at("diff_id").string());
  cached.tar_size = unsigned_at(value, "tar_size");
  cached.layer.blob = BlobDigest::parse(value.at("blob").string());
  cached.layer.size = unsigned_at(value, "size");
  cached.layer.encoding = Encoding::gzip;
  return cached;
}

/// The entry at `path`, or nothing when it cannot be read: a damaged entry is made again, never trusted.
std::optional<CachedLayer> try_read_entry(const fs::path& path) {
  try {
    return read_entry(path);
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool has_size(const fs::path& path, std::uint64_t size) {
  std::error_code error;
  const std::uint64_t found = fs::file_size(path, error);
  return !error && found == size;
}

bool is_leftover(const fs::path& path) {
  const std::string name = path.filename().native();
  return name.starts_with(".") && name.ends_with(".tmp");
}

}  // namespace

LayerCache::LayerCache(fs::path folder)
    : folder_(std::move(folder)), lock_(lock_path(folder_), FileLock::Kind::shared) {
  make_folders(folder_ / "layers");
  make_folders(folder_ / "blobs" / "sha256");
  make_folders(folder_ / "notes");
  remove_abandoned(folder_ / "tmp");
}

std::optional<CachedLayer> LayerCache::find(const LayerKey& key) const {
  const fs::path path = entry_path(folder_, key);
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  std::optional<CachedLayer> cached = try_read_entry(path);
  if (!cached) return std::nullopt;
  const fs::path blob = blob_path(folder_, cached->layer.blob);
  if (!has_size(blob, cached->layer.size)) return std::nullopt;
  mark_used(path);
  mark_used(blob);
  return cached;
}

CachedLayer LayerCache::store(const LayerKey& key,
                              const std::function<archive::WrittenLayer(ByteSink& blob)>& make) const {
  // The digest is known only at the end, so the blob is written under the key's name first.
  const fs::path provisional = folder_ / "blobs" / "sha256" / fmt::format(".{}.tmp", key.hex());
  CachedLayer cached;
  {
    AtomicFile file(provisional);
    const archive::WrittenLayer written = make(file);
    cached.layer = {written.diff_id, Encoding::gzip, written.blob, written.blob_size};
    cached.tar_size = written.tar_size;
    fail_point("cache.before-blob");
    file.commit();
  }
  const fs::path blob = blob_path(folder_, cached.layer.blob);
  std::error_code error;
  fs::rename(provisional, blob, error);
  // Another build may have made the same layer and renamed our common provisional name.
  if (error && !has_size(blob, cached.layer.size)) throw_system_error("create", blob, error.value());
  fail_point("cache.between-blob-and-entry");
  write_text_file(entry_path(folder_, key), entry_text(cached));
  fail_point("cache.after-entry");
  return cached;
}

bool LayerCache::contains(const BlobDigest& digest) const {
  std::error_code error;
  return fs::exists(blob_path(folder_, digest), error);
}

std::unique_ptr<ByteSource> LayerCache::open(const BlobDigest& digest) const {
  return verify_blob(std::make_unique<File>(blob_path(folder_, digest)), digest);
}

std::optional<fs::path> LayerCache::path(const BlobDigest& digest) const {
  if (!contains(digest)) return std::nullopt;
  return blob_path(folder_, digest);
}

std::optional<std::string> LayerCache::note(std::string_view kind, const LayerKey& key) const {
  const fs::path path = folder_ / "notes" / kind / key.hex();
  std::optional<std::string> text = read_text_file_if_exists(path, note_limit);
  if (text) mark_used(path);
  return text;
}

void LayerCache::set_note(std::string_view kind, const LayerKey& key, std::string_view text) const {
  const fs::path folder = folder_ / "notes" / kind;
  make_folders(folder);
  write_text_file(folder / key.hex(), text);
}

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
    usage.push_back(row);
  }
  std::sort(usage.begin(), usage.end(), [](const auto& left, const auto& right) { return left.name < right.name; });
  return usage;
}

CacheUsage prune_cache(const fs::path& folder, fs::file_time_type before) {
  CacheUsage freed{"pruned", 0, 0};
  const FileLock lock(lock_path(folder), FileLock::Kind::exclusive);
  std::set<std::string> named_blobs;
  std::error_code error;
  const auto remove = [&](const fs::directory_entry& entry) {
    const std::uint64_t size = entry.file_size(error);
    if (fs::remove(entry.path(), error)) {
      ++freed.files;
      freed.bytes += size;
    }
  };

  std::vector<fs::directory_entry> files;
  const auto collect = [&](const fs::path& part) {
    files.clear();
    for (const auto& entry : fs::recursive_directory_iterator(part, error)) {
      if (entry.is_regular_file() && !entry.is_symlink()) files.push_back(entry);
    }
  };

  collect(folder / "layers");
  for (const auto& entry : files) {
    const std::optional<CachedLayer> cached = is_leftover(entry.path()) ? std::nullopt : try_read_entry(entry.path());
    if (!cached || entry.last_write_time() < before) {
      remove(entry);
    } else {
      named_blobs.insert(cached->layer.blob.hex());
    }
  }
  collect(folder / "blobs");
  for (const auto& entry : files) {
    if (!named_blobs.contains(entry.path().filename().native())) remove(entry);
  }
  for (const auto& part : fs::directory_iterator(folder, error)) {
    const std::string name = part.path().filename();
    if (!part.is_directory() || name == "layers" || name == "blobs") continue;
    if (name == "roots" || name == "tmp") {
      // Unpacked bases go as a whole or stay; work is of killed builds, for none is running.
      for (const auto& root : fs::directory_iterator(part.path(), error)) {
        if (name == "roots" && root.last_write_time(error) >= before) continue;
        collect(root.path());
        for (const auto& entry : files) remove(entry);
        fs::remove_all(root.path(), error);
      }
      continue;
    }
    collect(part.path());
    for (const auto& entry : files) {
      if (is_leftover(entry.path()) || entry.last_write_time() < before) remove(entry);
    }
  }
  return freed;
}

}  // namespace veneer::image
