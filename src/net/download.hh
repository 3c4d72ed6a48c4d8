// Files of known hash, fetched once into a cache folder: wheels, source distributions, archives. Thread-safe; any
// number of processes may share the folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "foundation/digest.hh"
#include "foundation/kept_files.hh"
#include "net/http.hh"

namespace veneer::net {

struct DownloadRequest {
  std::string location;               // http, https or file URL, or an absolute path of this machine
  std::string file_name;              // under which it is kept: one path part that does not start with a dot
  std::optional<FileHash> hash;       // without one the file is fetched every time, and its hash is computed
  std::optional<std::uint64_t> size;  // bytes, when known; never more is read
  std::optional<Credentials> credentials;
  Netrc netrc = Netrc::over_https;
};

enum class Origin { cache, fetched };

struct DownloadedFile {
  std::filesystem::path path;  // <cache>/wheels/<sha256>/<file name>
  FileHash hash;
  std::uint64_t size = 0;
  Origin origin = Origin::cache;
};

struct DownloadProgress {
  std::size_t files_done = 0;
  std::size_t files_total = 0;
  std::uint64_t bytes_done = 0;   // of files that are not in the cache; goes back when a server cannot resume
  std::uint64_t bytes_total = 0;  // of those whose size is known
};
using OnDownloadProgress = std::function<void(const DownloadProgress&)>;  // called by one thread at a time

struct DownloadStatistics {
  std::uint64_t files_from_cache = 0;
  std::uint64_t files_fetched = 0;
  std::uint64_t bytes_fetched = 0;  // as they came in, repeated ones counted again
  std::uint64_t requests = 0;
};

class Downloads {
 public:
  /// Keeps files below `cache_folder`/wheels. `client` must outlive this; `files` knows which are whole.
  Downloads(const std::filesystem::path& cache_folder, Client& client,
            std::shared_ptr<const KeptFiles> files = std::make_shared<KeptFiles>());
  Downloads(const Downloads&) = delete;
  Downloads& operator=(const Downloads&) = delete;
  ~Downloads();

  /// The cached file, if it is there and has the hash. Does not touch the network.
  std::optional<DownloadedFile> find(const DownloadRequest& request) const;

  /// The file, from the cache or fetched: a download that was cut off (here or in a killed process) goes on where it
  /// stopped if the server allows it, transient errors are tried again. Only a file of the right size and hash gets its
  /// final name. Errors: verification (too long, too short, another hash), not_found (404, 410, no such local file),
  /// network (everything else that a server says), refused (file name, URL). Credentials are in none of them.
  DownloadedFile get(const DownloadRequest& request, const std::function<void(std::int64_t)>& on_bytes = {});

  /// All of them, at most `workers` at once, the largest first; results in the order of the requests.
  std::vector<DownloadedFile> get_all(const std::vector<DownloadRequest>& requests, std::size_t workers,
                                      const OnDownloadProgress& on_progress = {});

  DownloadStatistics statistics() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace veneer::net
