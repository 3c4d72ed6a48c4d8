#include "net/part_file.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "foundation/error.hh"
#include "foundation/fail_point.hh"
#include "foundation/file.hh"
#include "foundation/kept_files.hh"

namespace veneer::net {

PartFile::PartFile(std::filesystem::path path, std::uint64_t limit, const OnBytes& on_bytes)
    : path_(std::move(path)), note_(path_), limit_(limit), on_bytes_(on_bytes) {
  note_ += ".etag";
  clear_place(path_);
  clear_place(note_);
  if (::access(path_.c_str(), R_OK | W_OK) != 0) ::unlink(path_.c_str());
  descriptor_ = FileDescriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!descriptor_.is_open()) throw_system_error("open", path_, errno);
  struct stat status {};
  if (::fstat(descriptor_.get(), &status) != 0) throw_system_error("read", path_, errno);
  size_ = static_cast<std::uint64_t>(status.st_size);
  if (size_ > 0) tag_ = read_text_file_if_exists(note_, 4096).value_or("");
  if (size_ > limit_) {
    restart();
  } else if (size_ > 0) {
    report(static_cast<std::int64_t>(size_));
  }
}

void PartFile::restart() {
  if (::ftruncate(descriptor_.get(), 0) != 0) throw_system_error("empty", path_, errno);
  report(-static_cast<std::int64_t>(size_));
  size_ = 0;
  set_tag("");
}

void PartFile::set_tag(const std::string& tag) {
  if (tag == tag_) return;
  tag_ = tag;
  if (tag.empty()) {
    std::filesystem::remove(note_);
  } else {
    write_text_file(note_, tag);
  }
}

void PartFile::write(ByteView bytes) {
  if (bytes.size() > limit_ - size_) {
    throw Error(ErrorKind::verification, fmt::format("the server sends more than the expected {} bytes", limit_));
  }
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(descriptor_.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (count < 0) {
      const int error = errno;
      if (error == EINTR) continue;
      if (error == ENOSPC || error == EDQUOT) restart();  // do not keep the disk full
      throw_system_error("write", path_, error);
    }
    size_ += static_cast<std::uint64_t>(count);
    received_ += static_cast<std::uint64_t>(count);
    report(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  fail_point("download.part");
}

void PartFile::rename_to(const std::filesystem::path& target) {
  if (::fsync(descriptor_.get()) != 0) throw_system_error("write", path_, errno);
  fail_point("download.rename");
  if (::rename(path_.c_str(), target.c_str()) != 0) throw_system_error("rename", path_, errno);
  set_tag("");
}

void PartFile::discard() {
  restart();
  std::filesystem::remove(path_);
}

}  // namespace veneer::net
