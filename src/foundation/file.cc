#include "foundation/file.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "foundation/error.hh"
#include "foundation/fail_point.hh"

namespace veneer {

namespace fs = std::filesystem;

void throw_system_error(std::string_view act, const fs::path& path, int error_number) {
  const auto kind = error_number == ENOENT ? ErrorKind::not_found : ErrorKind::failed;
  std::string hint;
  if (error_number == ENOSPC || error_number == EDQUOT) {
    hint = "free some space there; nothing was left half written";
  }
  throw Error(
      kind,
      fmt::format("cannot {} {}: {}", act, printable(path.native()), std::generic_category().message(error_number)),
      hint);
}

File::File(const fs::path& path) : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (!descriptor_.is_open()) throw_system_error("open", path, errno);
  struct stat status {};
  if (::fstat(descriptor_.get(), &status) != 0) throw_system_error("inspect", path, errno);
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorKind::refused, fmt::format("{} is not a regular file", printable(path.native())));
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

void File::read_at(std::uint64_t offset, std::span<std::byte> into) const {
  while (!into.empty()) {
    const ssize_t count = ::pread(descriptor_.get(), into.data(), into.size(), static_cast<off_t>(offset));
    if (count < 0) {
      if (errno == EINTR) continue;
      throw_system_error("read", path_, errno);
    }
    if (count == 0) {
      throw Error(ErrorKind::refused, fmt::format("{} ends at byte {}, {} more bytes were expected there",
                                                  printable(path_.native()), offset, into.size()));
    }
    offset += static_cast<std::uint64_t>(count);
    into = into.subspan(static_cast<std::size_t>(count));
  }
}

std::size_t File::read(std::span<std::byte> into) {
  for (;;) {
    const ssize_t count = ::read(descriptor_.get(), into.data(), into.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) throw_system_error("read", path_, errno);
  }
}

namespace {

/// The new file would take the place of a device, pipe or socket, which is somebody's way and no old content.
fs::path replaceable(fs::path path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode) &&
      !S_ISLNK(status.st_mode)) {
    throw Error(ErrorKind::refused, fmt::format("{} is a device, pipe or socket, not a file", printable(path.native())),
                "name a file; it is replaced as a whole");
  }
  return path;
}

}  // namespace

AtomicFile::AtomicFile(fs::path path, mode_t mode)
    : path_(replaceable(std::move(path))), temporary_(Temporary::file_for(path_)) {
  if (::fchmod(temporary_.descriptor().get(), mode) == 0) return;
  const int error = errno;
  temporary_.remove();
  throw_system_error("set the mode of", temporary_.path(), error);
}

AtomicFile::~AtomicFile() {
  if (!committed_) temporary_.remove();
}

void AtomicFile::write(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(temporary_.descriptor().get(), bytes.data(), bytes.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      throw_system_error("write", path_, errno);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void AtomicFile::commit() {
  if (::fsync(temporary_.descriptor().get()) != 0) throw_system_error("write", path_, errno);
  commit_unsynced();
}

void AtomicFile::commit_unsynced() {
  fail_point("file.before-rename");
  if (::rename(temporary_path().c_str(), path_.c_str()) != 0) throw_system_error("create", path_, errno);
  committed_ = true;
  fail_point("file.after-rename");
}

void AtomicFile::commit_as(fs::path path) {
  path_ = std::move(path);
  commit();
}

std::string read_text_file(const fs::path& path, std::uint64_t limit) {
  return in_context([&] { return fmt::format("reading {}", printable(path.native())); },
                    [&] {
                      File file(path);
                      const Bytes bytes = read_all(file, limit);
                      return std::string(as_text(bytes));
                    });
}

std::optional<std::string> read_text_file_if_exists(const fs::path& path, std::uint64_t limit) {
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  return read_text_file(path, limit);
}

void write_text_file(const fs::path& path, std::string_view text, mode_t mode) {
  AtomicFile file(path, mode);
  file.write(as_bytes(text));
  file.commit();
}

fs::path real_path(const fs::path& path) {
  std::error_code error;
  fs::path absolute = fs::absolute(path, error);
  if (!error) absolute = fs::weakly_canonical(absolute, error);
  if (error) throw_system_error("find", path, error.value());
  absolute = absolute.lexically_normal();  // what does not exist was not followed
  return absolute.has_filename() ? absolute : absolute.parent_path();
}

void make_folders(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw_system_error("create", path, error.value());
}

namespace {
/// flock() until no signal interrupts it; 0 or an errno.
int lock(const FileDescriptor& descriptor, int operation) {
  while (::flock(descriptor.get(), operation) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}
}  // namespace

FileLock::FileLock(const fs::path& path, Kind kind)
    : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (!descriptor_.is_open()) throw_system_error("open", path, errno);
  const int error_number = lock(descriptor_, kind == Kind::shared ? LOCK_SH : LOCK_EX);
  if (error_number != 0) throw_system_error("lock", path, error_number);
}

std::optional<FileLock> FileLock::share(const fs::path& path) {
  // Over NFS an exclusive lock needs a descriptor for writing.
  FileDescriptor descriptor(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!descriptor.is_open()) descriptor = FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!descriptor.is_open() || lock(descriptor, LOCK_SH) != 0) return std::nullopt;
  return FileLock(std::move(descriptor));
}

bool FileLock::try_exclusive() {
  if (lock(descriptor_, LOCK_EX | LOCK_NB) == 0) return true;
  share();  // the attempt gave up what it had
  return false;
}

void FileLock::share() { lock(descriptor_, LOCK_SH); }

}  // namespace veneer
