#include "registry/kept_blobs.hh"

#include <fmt/format.h>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "net/part_file.hh"

namespace veneer::registry {

namespace fs = std::filesystem;

namespace {

constexpr int most_empty_failures = 4;  // without a byte in between

/// Everything that `source` has of a blob from where `part` ends. False: it lacks the blob.
bool fill(net::PartFile& part, const BlobDigest& digest, std::uint64_t size, const Source& source) {
  for (int failures = 0; part.size() < size;) {
    try {
      const std::uint64_t count = source.repository.read_blob(digest, size, part.size(), part);
      failures = 0;
      if (count == 0) {
        throw Error(ErrorKind::verification,
                    fmt::format("{} has {} bytes, not the {} promised", digest.text(), part.size(), size));
      }
    } catch (const net::TransportError& error) {
      if (error.retry() == net::TransportError::Retry::useless || ++failures == most_empty_failures) throw;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::not_found) return false;
      throw;
    }
  }
  return true;
}

}  // namespace

KeptBlobs::KeptBlobs(const fs::path& cache)
    : folder_(cache / "registry-blobs"), files_(std::make_shared<KeptFiles>(cache / "known")) {}

std::optional<fs::path> KeptBlobs::find(const Hash& digest) const {
  const fs::path path = folder_ / digest.hex();
  std::error_code ignored;
  if (!fs::exists(path, ignored) || !files_->is_whole(path, digest)) return std::nullopt;
  fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);  // what is used is not pruned
  return path;
}

fs::path KeptBlobs::get(const BlobDigest& digest, std::uint64_t size, Registries& registries,
                        const std::vector<Source>& sources, const std::function<void(std::int64_t)>& on_bytes) const {
  if (const auto kept = find(digest.hash)) return *kept;
  make_folders(folder_);
  const fs::path path = folder_ / digest.hex();
  const fs::path coming = folder_ / ("." + digest.hex() + ".part");
  const FileLock lock = lock_kept(folder_ / ("." + digest.hex() + ".lock"), FileLock::Kind::exclusive);
  if (const auto kept = find(digest.hash)) return *kept;  // another process was faster
  const auto fetch_from = [&](const Source& source) -> std::optional<fs::path> {
    if (!source.serves_digests) return std::nullopt;
    for (;;) {
      net::PartFile part(coming, size, on_bytes);
      const bool was_begun = part.size() > 0;
      try {
        if (!fill(part, digest, size, source)) return std::nullopt;
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::verification) throw;
        part.discard();
        if (was_begun) continue;  // what was there may have been wrong
        throw;
      }
      const Hash found = sha256(*std::make_unique<File>(coming));
      if (found != digest.hash) {
        part.discard();
        if (was_begun) continue;
        throw Error(ErrorKind::verification,
                    fmt::format("the registry sends sha256:{} instead of {}", found.hex(), digest.text()));
      }
      clear_place(path);
      part.rename_to(path);
      files_->vouch(path, digest.hash);
      std::error_code ignored;
      fs::remove(folder_ / ("." + digest.hex() + ".lock"), ignored);
      return path;
    }
  };
  const auto fetched =
      in_context([&] { return "fetching " + digest.text(); }, [&] { return registries.first_of(sources, fetch_from); });
  if (fetched) return *fetched;
  throw Error(ErrorKind::not_found, fmt::format("the registry has no blob {}", digest.text()));
}

std::optional<std::string> KeptBlobs::document(const Hash& digest) const {
  const auto path = find(digest);
  if (!path) return std::nullopt;
  std::string text = read_text_file(*path, manifest_limit);
  if (sha256(text) != digest) return std::nullopt;
  return text;
}

void KeptBlobs::keep_document(const Hash& digest, std::string_view text) const {
  make_folders(folder_);
  const fs::path path = folder_ / digest.hex();
  clear_place(path);
  write_text_file(path, text);
  files_->vouch(path, digest);
}

}  // namespace veneer::registry
