// Files on this machine: reading, and writing so that a killed process leaves the old file or the new one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "foundation/bytes.hh"
#include "foundation/file_descriptor.hh"
#include "foundation/stream.hh"
#include "foundation/temporary.hh"

namespace veneer {

/// A file for reading, from the start on and at any place; many threads may call read_at.
/// Opening a missing file is an Error of kind not_found, a folder or device one of kind refused.
class File : public RandomAccess, public ByteSource {
 public:
  explicit File(const std::filesystem::path& path);
  std::uint64_t size() const override { return size_; }
  void read_at(std::uint64_t offset, std::span<std::byte> into) const override;
  std::size_t read(std::span<std::byte> into) override;

 private:
  std::filesystem::path path_;
  FileDescriptor descriptor_;
  std::uint64_t size_ = 0;
};

/// Writes `path` under a temporary name beside it; commit() syncs and renames. Destroyed uncommitted, the temporary
/// file is removed. `mode` is exact (the umask does not change it).
class AtomicFile : public ByteSink {
 public:
  explicit AtomicFile(std::filesystem::path path, mode_t mode = 0644);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() override;
  void write(ByteView bytes) override;
  void commit() override;
  /// commit() that does not wait for the disk: after a power cut the file may be torn. For what its reader checks.
  void commit_unsynced();
  /// commit() under another name in the same folder: one that what was written decides.
  void commit_as(std::filesystem::path path);
  /// The temporary name, until commit().
  const std::filesystem::path& temporary_path() const { return temporary_.path(); }

 private:
  std::filesystem::path path_;
  Temporary temporary_;
  bool committed_ = false;
};

/// The whole file, at most `limit` bytes.
std::string read_text_file(const std::filesystem::path& path, std::uint64_t limit);
/// The same, nothing when the file does not exist.
std::optional<std::string> read_text_file_if_exists(const std::filesystem::path& path, std::uint64_t limit);
/// Replaces `path` atomically.
void write_text_file(const std::filesystem::path& path, std::string_view text, mode_t mode = 0644);
/// The one spelling of `path` by which paths are compared: absolute, links followed as far as it exists, without "."
/// and ".." parts and without a slash at its end.
std::filesystem::path real_path(const std::filesystem::path& path);
/// Makes `path` and its parents; existing folders are fine.
void make_folders(const std::filesystem::path& path);

/// Holds an advisory lock (flock) on `path`, which is created when missing, until destroyed.
class FileLock {
 public:
  enum class Kind { shared, exclusive };
  /// Waits for the lock.
  FileLock(const std::filesystem::path& path, Kind kind);
  /// Waits for a shared lock on a file that is there, which may be read-only. Nothing where files cannot be locked.
  static std::optional<FileLock> share(const std::filesystem::path& path);

  /// Makes a shared lock exclusive without waiting. False, and it stays shared, when others hold it too.
  bool try_exclusive();
  /// Makes it shared again.
  void share();

 private:
  explicit FileLock(FileDescriptor descriptor) : descriptor_(std::move(descriptor)) {}
  FileDescriptor descriptor_;
};

/// Throws an Error "cannot `act` `path`: ...", as in "cannot open /x", and why, from errno; "no space left" has a hint.
[[noreturn]] void throw_system_error(std::string_view act, const std::filesystem::path& path, int error_number);

}  // namespace veneer
