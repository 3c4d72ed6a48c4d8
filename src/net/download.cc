#include "net/download.hh"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/parallel.hh"
#include "net/part_file.hh"

namespace veneer::net {

namespace {

constexpr std::uint64_t largest_file = 16ull << 30;  // when the lock states no size
constexpr int most_rounds = 100;                     // of retries, as long as each brings new bytes

void check_file_name(const std::string& name) {
  if (name.empty() || name.front() == '.' || name.size() > 240 || name.find('/') != std::string::npos ||
      name.find('\0') != std::string::npos) {
    throw Error(ErrorKind::refused, "\"" + printable(name) + "\" cannot be the name of a downloaded file");
  }
}

bool is_url(const std::string& location) { return location.find("://") != std::string::npos; }

FileHash hash_of(const std::filesystem::path& path) {
  File file(path);
  return {sha256(file)};
}

[[noreturn]] void throw_status(int status, const std::string& shown) {
  if (status == 404 || status == 410) {
    throw Error(ErrorKind::not_found, fmt::format("{} does not exist (status {})", shown, status));
  }
  const bool is_denied = status == 401 || status == 403 || status == 407;
  throw Error(ErrorKind::network, fmt::format("the server answered {} with status {}", shown, status),
              is_denied
                  ? "give the credentials of the index, as for uv (UV_INDEX_<NAME>_USERNAME and _PASSWORD, or netrc); "
                    "they hold for its scheme, host, port and path alone"
                  : "");
}

/// An entity tag that promises equal bytes (RFC 9110 section 8.8.3), else nothing.
std::string strong_tag(const Response& response) {
  const std::string* tag = response.header("ETag");
  return tag != nullptr && tag->starts_with('"') && tag->size() < 4096 ? *tag : std::string();
}

}  // namespace

class Downloads::Implementation {
 public:
  Implementation(const std::filesystem::path& cache_folder, Client& http, std::shared_ptr<const KeptFiles> kept)
      : folder(std::filesystem::absolute(cache_folder) / "wheels"), client(http), files(std::move(kept)) {}

  /// Where the file lies when its hash is known.
  std::filesystem::path place_of(const DownloadRequest& request) const {
    return folder / (request.hash ? request.hash->hex() : "") / request.file_name;
  }
  std::optional<DownloadedFile> find(const DownloadRequest& request) const;
  DownloadedFile fetch(const DownloadRequest& request, const OnBytes& on_bytes);

  std::filesystem::path folder;
  Client& client;
  std::shared_ptr<const KeptFiles> files;
  std::atomic<std::uint64_t> files_from_cache = 0;
  std::atomic<std::uint64_t> files_fetched = 0;
  std::atomic<std::uint64_t> bytes_fetched = 0;
  std::atomic<std::uint64_t> requests = 0;

 private:
  void fill(PartFile& part, const DownloadRequest& request);
  void fill_from_server(PartFile& part, const DownloadRequest& request, const std::string& shown);
  void fill_from_disk(PartFile& part, const std::filesystem::path& path);
};

void Downloads::Implementation::fill_from_disk(PartFile& part, const std::filesystem::path& path) {
  part.restart();
  File file(path);
  copy(file, part);
}

void Downloads::Implementation::fill_from_server(PartFile& part, const DownloadRequest& request,
                                                 const std::string& shown) {
  bool ranges = true;  // until the server shows that it cannot
  std::uint64_t asked_from = 0;
  const auto next_request = [&] {
    Request next{.url = request.location,
                 .headers = {{"Accept-Encoding", "identity"}},
                 .credentials = request.credentials,
                 .netrc = request.netrc};
    // Without a hash only the entity tag tells that the rest belongs to the part.
    if (part.size() > 0 && (!ranges || (!request.hash && part.tag().empty()))) part.restart();
    asked_from = part.size();
    if (asked_from > 0) {
      next.headers.push_back({"Range", fmt::format("bytes={}-", asked_from)});
      if (!part.tag().empty()) next.headers.push_back({"If-Range", part.tag()});
    }
    ++requests;
    return next;
  };
  const auto on_answer = [&](const Response& response) -> ByteSink* {
    if (response.status == 206 && asked_from > 0 && response.range_start() == asked_from) return &part;
    if (response.status != 200) return nullptr;
    if (part.size() > 0) part.restart();
    part.set_tag(strong_tag(response));
    return &part;
  };
  for (int round = 1;; ++round) {
    const std::uint64_t before = part.size();
    Response response;
    try {
      response = client.send_with_retry(next_request, on_answer);
    } catch (const TransportError& error) {
      if (error.retry() == TransportError::Retry::useless || part.size() <= before || round == most_rounds) throw;
      continue;
    }
    if (response.status == 200) return;
    if (response.status == 206 && asked_from > 0 && response.range_start() == asked_from) return;
    if ((response.status == 416 || response.status == 206) && asked_from > 0) {
      if (response.status == 416 && request.size && part.size() == *request.size) return;
      ranges = false;
      continue;
    }
    throw_status(response.status, shown);
  }
}

void Downloads::Implementation::fill(PartFile& part, const DownloadRequest& request) {
  if (!is_url(request.location)) return fill_from_disk(part, request.location);
  const SplitUrl url = split_url(request.location);
  if (url.scheme == "file") return fill_from_disk(part, url.path);
  fill_from_server(part, request, display_url(url.without_user_info));
}

DownloadedFile Downloads::Implementation::fetch(const DownloadRequest& request, const OnBytes& on_bytes) {
  const bool known = request.hash.has_value();
  const std::filesystem::path place =
      folder / (known ? request.hash->hex() : "unknown-" + sha256(request.location).hex());
  make_folders(place);
  const FileLock lock = lock_kept(place / ".lock", FileLock::Kind::exclusive);
  const std::filesystem::path target = place / request.file_name;
  if (const auto cached = find(request)) {  // another process may have been faster
    ++files_from_cache;
    return *cached;
  }
  for (bool may_resume = true;; may_resume = false) {
    PartFile part(place / ".part", request.size.value_or(largest_file), on_bytes);
    if (!may_resume) part.restart();
    const bool resumed = part.size() > 0;
    try {
      if (!known || !request.size || part.size() < *request.size) fill(part, request);
    } catch (const Error& error) {
      bytes_fetched += part.received();
      if (error.kind() == ErrorKind::verification) part.discard();
      throw;
    }
    bytes_fetched += part.received();
    const FileHash hash = hash_of(place / ".part");
    const std::uint64_t size = part.size();
    const bool right_size = !request.size || size == *request.size;
    if (right_size && (!known || hash == *request.hash)) {
      DownloadedFile result{target, hash, size, Origin::fetched};
      if (!known) {
        make_folders(folder / hash.hex());
        result.path = folder / hash.hex() / request.file_name;
      }
      clear_place(result.path);
      part.rename_to(result.path);
      files->vouch(result.path, hash.hash);
      ++files_fetched;
      return result;
    }
    part.discard();
    if (resumed) continue;  // what was there may have been a part of another file
    if (!right_size) {
      throw Error(ErrorKind::verification, fmt::format("it has {} bytes, but {} are expected", size, *request.size));
    }
    throw Error(ErrorKind::verification,
                fmt::format("it has the SHA-256 {}, but {} is expected", hash.hex(), request.hash->hex()));
  }
}

Downloads::Downloads(const std::filesystem::path& cache_folder, Client& client, std::shared_ptr<const KeptFiles> files)
    : implementation_(std::make_unique<Implementation>(cache_folder, client, std::move(files))) {}
Downloads::~Downloads() = default;

std::optional<DownloadedFile> Downloads::Implementation::find(const DownloadRequest& request) const {
  if (!request.hash) return std::nullopt;
  const std::filesystem::path path = place_of(request);
  if (!files->is_whole(path, request.hash->hash)) return std::nullopt;
  const std::uint64_t size = std::filesystem::file_size(path);
  if (request.size && size != request.size) return std::nullopt;  // the lock contradicts itself
  return DownloadedFile{path, *request.hash, size, Origin::cache};
}

std::optional<DownloadedFile> Downloads::find(const DownloadRequest& request) const {
  check_file_name(request.file_name);
  return implementation_->find(request);
}

DownloadedFile Downloads::get(const DownloadRequest& request, const OnBytes& on_bytes) {
  if (auto cached = find(request)) {
    ++implementation_->files_from_cache;
    return *cached;
  }
  try {
    return in_context([&] { return "downloading " + display_url(request.location); },
                      [&] { return implementation_->fetch(request, on_bytes); });
  } catch (Error& error) {
    const std::filesystem::path path = implementation_->place_of(request);
    if (!implementation_->files->is_reported(path)) throw;
    error.add_context(fmt::format("{} is damaged, and cannot be fetched again", printable(path.native())));
    if (error.hint().empty()) {
      error.set_hint(fmt::format("run it again when {} can be reached", display_url(request.location)));
    }
    throw;
  }
}

std::vector<DownloadedFile> Downloads::get_all(const std::vector<DownloadRequest>& requests, std::size_t workers,
                                               const OnDownloadProgress& on_progress) {
  std::vector<std::optional<DownloadedFile>> found(requests.size());
  std::vector<std::size_t> missing;
  DownloadProgress progress;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    found[i] = find(requests[i]);
    if (found[i]) {
      ++implementation_->files_from_cache;
      continue;
    }
    missing.push_back(i);
    progress.bytes_total += requests[i].size.value_or(0);
  }
  progress.files_total = missing.size();
  std::stable_sort(missing.begin(), missing.end(), [&](std::size_t a, std::size_t b) {
    return requests[a].size.value_or(0) > requests[b].size.value_or(0);
  });
  std::mutex mutex;
  const auto change = [&](std::int64_t bytes, std::size_t files) {
    const std::lock_guard lock(mutex);
    progress.bytes_done += static_cast<std::uint64_t>(bytes);  // wraps around for negative ones, as it should
    progress.files_done += files;
    if (on_progress) on_progress(progress);
  };
  parallel_for(missing.size(), workers, [&](std::size_t i) {
    const std::size_t index = missing[i];
    found[index] = get(requests[index], [&](std::int64_t bytes) { change(bytes, 0); });
    change(0, 1);
  });
  std::vector<DownloadedFile> files;
  files.reserve(found.size());
  for (std::optional<DownloadedFile>& file : found) files.push_back(std::move(*file));
  return files;
}

DownloadStatistics Downloads::statistics() const {
  return {implementation_->files_from_cache, implementation_->files_fetched, implementation_->bytes_fetched,
          implementation_->requests};
}

}  // namespace veneer::net
