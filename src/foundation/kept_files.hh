// Files that were kept because making them again costs time: the caches, the project's store. Whatever happened to one
// of them, it is as if it were not there: that is said once, with its path, and whoever wanted it makes it again.
// Files are known by their hash, never by their size alone:
//
//   texts                 carry their hash (and where they lie) in their first line
//   large files           are read and compared, once: "known" remembers that the file with this number, size and times
//                         had this hash. Whatever writes to a file changes the time of its last change (ctime), which
//                         no program can set. What the disk itself loses is found whenever the bytes are read
//   folders of programs   by the number, size and times of every file in them, as they were when the folder was made
//
// Thread-safe; several processes may share the files.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "foundation/digest.hh"
#include "foundation/file.hh"

namespace veneer {

/// Told of a damaged file: its path, and a clause that says what is wrong with it ("it is no file").
using OnDamage = std::function<void(const std::filesystem::path& path, const std::string& why)>;

class KeptFiles {
 public:
  /// What is known about large files lies in `memory`, a folder that need not exist yet. An empty path: nowhere, so
  /// that every file is read.
  explicit KeptFiles(std::filesystem::path memory = {}, OnDamage on_damage = {});

  /// The text that write_text() wrote there. Nothing when there is none, or (reported) when it is damaged.
  std::optional<std::string> read_text(const std::filesystem::path& path, std::uint64_t limit) const;
  void write_text(const std::filesystem::path& path, std::string_view text) const;
  /// The hash of `text` as the content of the file at `path`: copied to another name it does not hold.
  static Hash check(const std::filesystem::path& path, std::string_view text);

  /// Whether there is a file at `path`. What is there and is none is reported.
  bool is_file(const std::filesystem::path& path) const;

  /// Whether the file at `path` has this hash. False when there is none, or (reported) when it is damaged.
  bool is_whole(const std::filesystem::path& path, const Hash& hash) const;
  /// The caller has just seen that the file has this hash (it wrote it, say): it need not be read for that again.
  void vouch(const std::filesystem::path& path, const Hash& hash) const;
  /// The file did not have this hash after all: the next is_whole() reads it.
  void forget(const std::filesystem::path& path, const Hash& hash) const;

  /// The hash that keep_hash() wrote down, in a file beside the one at `path` (".sha256" behind its name): of a file
  /// that has no other witness. Nothing when there is none, or (reported) when that is damaged.
  std::optional<Hash> kept_hash(const std::filesystem::path& path) const;
  void keep_hash(const std::filesystem::path& path, const Hash& hash) const;

  /// Whether nothing in `folder` was changed since seal(). False when it is not sealed, or (reported) when it is
  /// damaged.
  bool is_sealed(const std::filesystem::path& folder) const;
  /// Writes down what `content`, which will be renamed to `folder`, holds: beside that, ".seal" behind its name.
  void seal(const std::filesystem::path& folder, const std::filesystem::path& content) const;

  /// Reports a file that its reader found damaged, once for each path, and removes a folder that is in its place.
  void report(const std::filesystem::path& path, const std::string& why) const;

  bool is_reported(const std::filesystem::path& path) const;

  /// How many bytes is_whole() has read.
  std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  std::optional<struct stat> status_of_file(const std::filesystem::path& path) const;
  std::filesystem::path record(const struct stat& status, const Hash& hash) const;
  void remember(const std::filesystem::path& record) const;

  std::filesystem::path memory_;
  OnDamage on_damage_;
  mutable std::mutex mutex_;
  mutable std::set<std::filesystem::path> reported_;
  mutable std::set<std::filesystem::path> remembered_;
  mutable std::atomic<std::uint64_t> bytes_read_ = 0;
};

/// Makes room for a file: removes a folder (with all in it) that lies at `path`.
void clear_place(const std::filesystem::path& path);

/// Waits for a lock as FileLock does, on a file that holds nothing: whatever happened to that is mended.
FileLock lock_kept(const std::filesystem::path& path, FileLock::Kind kind);

}  // namespace veneer
