#include "image/cache/layer_cache.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <system_error>

#include "foundation/error.hh"
#include "foundation/fail_point.hh"
#include "foundation/json.hh"

namespace veneer::image {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t entry_limit = 64 * 1024;
constexpr std::string_view check_field = "check";

fs::path cache_lock(const fs::path& folder) {
  make_folders(folder);
  return folder / "lock";
}

fs::path entry_path(const fs::path& folder, const LayerKey& key) { return folder / "layers" / (key.hex() + ".json"); }
fs::path blob_path(const fs::path& folder, const BlobDigest& digest) {
  return folder / "blobs" / "sha256" / digest.hex();
}
fs::path note_path(const fs::path& folder, std::string_view kind, const LayerKey& key) {
  return folder / "notes" / kind / (key.hex() + ".note");
}

/// "Used" is the file's modification time; failing to mark it is no reason to fail.
void mark_used(const fs::path& path) { ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0); }

std::uint64_t unsigned_at(const Value& value, std::string_view key) {
  const std::int64_t number = value.at(key).integer();
  if (number < 0) throw Error(ErrorKind::refused, fmt::format("'{}' is negative", key));
  return static_cast<std::uint64_t>(number);
}

Value to_value(const CachedLayer& cached) {
  Value value;
  value.set("diff_id", cached.layer.diff_id.text());
  value.set("tar_size", cached.tar_size);
  value.set("blob", cached.layer.blob.text());
  value.set("size", cached.layer.size);
  return value;
}

/// Stays JSON, so the hash that a kept text has stands in a field of its own.
std::string entry_text(const fs::path& path, const CachedLayer& cached) {
  Value value = to_value(cached);
  const std::string check = KeptFiles::check(path, to_json(value)).hex();
  value.set(std::string(check_field), check);
  return to_json(value) + "\n";
}

/// Nothing for an entry of a version before entries were checked.
std::optional<CachedLayer> parse_entry(const fs::path& path, const std::string& text) {
  const Value value = parse_json(text);
  CachedLayer cached;
  cached.layer.diff_id = DiffId::parse(value.at("diff_id").string());
  cached.tar_size = unsigned_at(value, "tar_size");
  cached.layer.blob = BlobDigest::parse(value.at("blob").string());
  cached.layer.size = unsigned_at(value, "size");
  cached.layer.encoding = Encoding::gzip;
  if (text == to_json(to_value(cached)) + "\n") return std::nullopt;
  if (text != entry_text(path, cached)) throw Error(ErrorKind::verification, "its check does not hold");
  return cached;
}

}  // namespace

std::optional<CachedLayer> read_layer_entry(const fs::path& path, const KeptFiles& files) {
  if (!files.is_file(path)) return std::nullopt;
  try {
    return parse_entry(path, read_text_file(path, entry_limit));
  } catch (const Error& damage) {
    files.report(path, damage.message());
    return std::nullopt;
  }
}

LayerCache::LayerCache(fs::path folder, OnDamage on_damage)
    : folder_(std::move(folder)),
      files_(std::make_shared<KeptFiles>(folder_ / "known", std::move(on_damage))),
      lock_(lock_kept(cache_lock(folder_), FileLock::Kind::shared)) {
  make_folders(folder_ / "layers");
  make_folders(folder_ / "blobs" / "sha256");
  make_folders(folder_ / "notes");
  remove_abandoned(folder_ / "tmp");
}

std::optional<CachedLayer> LayerCache::find(const LayerKey& key) const {
  const fs::path path = entry_path(folder_, key);
  std::optional<CachedLayer> cached = read_layer_entry(path, *files_);
  if (!cached || !files_->is_whole(blob_path(folder_, cached->layer.blob), cached->layer.blob.hash)) {
    return std::nullopt;
  }
  mark_used(path);
  return cached;
}

CachedLayer LayerCache::store(const LayerKey& key,
                              const std::function<archive::WrittenLayer(ByteSink& blob)>& make) const {
  // The digest is known only at the end; until then the blob has a name that nobody else has.
  AtomicFile file(folder_ / "blobs" / "sha256" / key.hex());
  const archive::WrittenLayer written = make(file);
  CachedLayer cached;
  cached.layer = {written.diff_id, Encoding::gzip, written.blob, written.blob_size};
  cached.tar_size = written.tar_size;
  fail_point("cache.before-blob");
  const fs::path blob = blob_path(folder_, cached.layer.blob);
  if (!files_->is_whole(blob, cached.layer.blob.hash)) {
    file.commit_as(blob);
    files_->vouch(blob, cached.layer.blob.hash);
  }
  fail_point("cache.between-blob-and-entry");
  add_key(key, cached);
  fail_point("cache.after-entry");
  return cached;
}

void LayerCache::add_key(const LayerKey& key, const CachedLayer& layer) const {
  const fs::path entry = entry_path(folder_, key);
  write_text_file(entry, entry_text(entry, layer));
}

bool LayerCache::contains(const BlobDigest& digest) const {
  std::error_code error;
  return fs::exists(blob_path(folder_, digest), error);
}

std::unique_ptr<ByteSource> LayerCache::open(const BlobDigest& digest) const {
  const fs::path path = blob_path(folder_, digest);
  return open_blob_file(path, digest, "run it again: what is damaged in the cache is made again",
                        [files = files_, path, digest] { files->forget(path, digest.hash); });
}

std::optional<fs::path> LayerCache::path(const BlobDigest& digest) const {
  if (!contains(digest)) return std::nullopt;
  return blob_path(folder_, digest);
}

std::optional<std::string> LayerCache::note(std::string_view kind, const LayerKey& key) const {
  const fs::path path = note_path(folder_, kind, key);
  std::optional<std::string> text = files_->read_text(path, largest_note);
  if (text) mark_used(path);
  return text;
}

void LayerCache::set_note(std::string_view kind, const LayerKey& key, std::string_view text) const {
  make_folders(folder_ / "notes" / kind);
  files_->write_text(note_path(folder_, kind, key), text);
}

}  // namespace veneer::image
