#include "foundation/kept_files.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <system_error>

#include "foundation/error.hh"

namespace veneer {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t head_size = 65;            // 64 digits, a line feed
constexpr std::uint64_t seal_limit = 256 << 20;  // some hundred bytes a file

std::string times(const struct stat& status) {
  return fmt::format("{} {}.{} {}.{}", status.st_ino, status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                     status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
}

fs::path with_suffix(fs::path path, std::string_view suffix) { return path += suffix; }

/// Nothing when there is no such file.
std::optional<struct stat> status_of(const fs::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) return status;
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  throw_system_error("inspect", path, errno);
}

/// What is seen of every path in `folder` but folders, without reading a file. Folders do not count: those that are
/// mounted on are made when a program is first run there.
std::map<std::string, std::string> listing(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    struct stat status {};
    if (::lstat(entry.path().c_str(), &status) != 0) status = {};
    if (S_ISDIR(status.st_mode)) continue;
    files.emplace(entry.path().native().substr(folder.native().size() + 1),
                  fmt::format("{:o} {} {}", status.st_mode, status.st_size, times(status)));
  }
  return files;
}

/// Neither names nor what is seen holds a NUL.
std::string seal_text(const std::map<std::string, std::string>& files) {
  std::string text;
  for (const auto& [path, seen] : files) {
    for (const std::string_view field : {std::string_view(path), std::string_view(seen)}) {
      text += field;
      text += '\0';
    }
  }
  return text;
}

std::map<std::string, std::string> parse_seal(std::string_view text) {
  std::map<std::string, std::string> files;
  const auto field = [&] {
    const std::string_view found = text.substr(0, text.find('\0'));
    text.remove_prefix(std::min(found.size() + 1, text.size()));
    return std::string(found);
  };
  while (!text.empty()) {
    std::string path = field();
    files.emplace(std::move(path), field());
  }
  return files;
}

/// The first path that is not the same in both; nothing when all are.
std::optional<std::string> first_change(const std::map<std::string, std::string>& before,
                                        const std::map<std::string, std::string>& now) {
  const auto [left, right] = std::mismatch(before.begin(), before.end(), now.begin(), now.end());
  if (left == before.end() && right == now.end()) return std::nullopt;
  if (left == before.end()) return right->first;
  if (right == now.end()) return left->first;
  return std::min(left->first, right->first);
}

}  // namespace

KeptFiles::KeptFiles(fs::path memory, OnDamage on_damage)
    : memory_(std::move(memory)), on_damage_(std::move(on_damage)) {}

Hash KeptFiles::check(const fs::path& path, std::string_view text) {
  Sha256 hash;
  hash.update((path.parent_path().filename() / path.filename()).native() + "\n");
  hash.update(text);
  return hash.finish();
}

std::optional<std::string> KeptFiles::read_text(const fs::path& path, std::uint64_t limit) const {
  if (!is_file(path)) return std::nullopt;
  try {
    std::string text = read_text_file(path, limit + head_size);
    const std::string head = text.substr(0, head_size);
    text.erase(0, head_size);
    if (head == check(path, text).hex() + "\n") return text;
    report(path, "its first line is not the hash of the rest");
  } catch (const Error& error) {
    report(path, error.message());
  }
  return std::nullopt;
}

void KeptFiles::write_text(const fs::path& path, std::string_view text) const {
  clear_place(path);
  AtomicFile file(path);
  file.write(as_bytes(fmt::format("{}\n{}", check(path, text).hex(), text)));
  file.commit_unsynced();  // one that a power cut tears is found by its hash
}

fs::path KeptFiles::record(const struct stat& status, const Hash& hash) const {
  return memory_ / sha256(fmt::format("{} {} {}", hash.hex(), status.st_size, times(status))).hex();
}

void KeptFiles::remember(const fs::path& record) const {
  {
    const std::lock_guard guard(mutex_);
    if (!remembered_.insert(record).second) return;
  }
  if (memory_.empty()) return;
  std::error_code error;
  fs::create_directories(memory_, error);
  // That it is there says all. Without it the file is read again, so a failure costs time only.
  const FileDescriptor file(::open(record.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}

std::optional<struct stat> KeptFiles::status_of_file(const fs::path& path) const {
  const std::optional<struct stat> status = status_of(path);
  if (!status || S_ISREG(status->st_mode)) return status;
  report(path, "it is no file");
  return std::nullopt;
}

bool KeptFiles::is_file(const fs::path& path) const { return status_of_file(path).has_value(); }

bool KeptFiles::is_whole(const fs::path& path, const Hash& hash) const {
  const std::optional<struct stat> status = status_of_file(path);
  if (!status) return false;
  const fs::path known = record(*status, hash);
  {
    const std::lock_guard guard(mutex_);
    if (remembered_.contains(known)) return true;
  }
  if (!memory_.empty() && ::utimensat(AT_FDCWD, known.c_str(), nullptr, 0) == 0) {  // which says that it is in use
    remember(known);
    return true;
  }
  try {
    File file(path);
    const Hash found = sha256(file);
    bytes_read_ += file.size();
    if (found == hash) {
      remember(known);
      return true;
    }
    report(path, fmt::format("its content is sha256:{}, not sha256:{}", found.hex(), hash.hex()));
  } catch (const Error& error) {
    report(path, error.message());
  }
  return false;
}

void KeptFiles::vouch(const fs::path& path, const Hash& hash) const {
  if (const auto status = status_of(path)) remember(record(*status, hash));
}

void KeptFiles::forget(const fs::path& path, const Hash& hash) const {
  const auto status = status_of(path);
  if (!status) return;
  const fs::path known = record(*status, hash);
  const std::lock_guard guard(mutex_);
  remembered_.erase(known);
  if (!memory_.empty()) ::unlink(known.c_str());
}

std::optional<Hash> KeptFiles::kept_hash(const fs::path& path) const {
  const auto text = read_text(with_suffix(path, ".sha256"), head_size);
  return text ? Hash::from_hex(*text) : std::nullopt;
}

void KeptFiles::keep_hash(const fs::path& path, const Hash& hash) const {
  write_text(with_suffix(path, ".sha256"), hash.hex());
}

bool KeptFiles::is_sealed(const fs::path& folder) const {
  std::error_code error;
  const auto text = read_text(with_suffix(folder, ".seal"), seal_limit);
  if (!text || !fs::is_directory(fs::symlink_status(folder, error))) return false;
  try {
    const auto change = first_change(parse_seal(*text), listing(folder));
    if (!change) return true;
    report(folder / *change, "it is not as it was unpacked");
  } catch (const fs::filesystem_error& unreadable) {
    report(unreadable.path1(), unreadable.code().message());
  }
  return false;
}

void KeptFiles::seal(const fs::path& folder, const fs::path& content) const {
  write_text(with_suffix(folder, ".seal"), seal_text(listing(content)));
}

void KeptFiles::report(const fs::path& path, const std::string& why) const {
  clear_place(path);
  {
    const std::lock_guard guard(mutex_);
    if (!reported_.insert(path).second) return;
  }
  if (on_damage_) on_damage_(path, why);
}

bool KeptFiles::is_reported(const fs::path& path) const {
  const std::lock_guard guard(mutex_);
  return reported_.contains(path);
}

void clear_place(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(fs::symlink_status(path, error))) return;
  fs::remove_all(path, error);
  if (error) throw_system_error("remove", path, error.value());
}

FileLock lock_kept(const fs::path& path, FileLock::Kind kind) {
  clear_place(path);  // nobody can hold a lock on a folder that is opened for writing
  if (::access(path.c_str(), R_OK | W_OK) != 0 && errno == EACCES) ::chmod(path.c_str(), 0644);
  return FileLock(path, kind);
}

}  // namespace veneer
