#include "foundation/temporary.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <set>
#include <system_error>

#include "foundation/error.hh"
#include "foundation/file.hh"

namespace veneer {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t random_digits = 16;
constexpr std::size_t longest_kept_name = 200;  // of 255 bytes, so that the random part fits

struct Living {
  std::mutex mutex;
  std::set<fs::path> paths;
};
Living& living() {
  static Living& all = *new Living;  // never destroyed: a signal may end the process at any time
  return all;
}

bool is_random_name(std::string_view text) {
  return text.size() == random_digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool names_a_folder(std::string_view name) {
  return name.starts_with("veneer-") && name.size() > random_digits && name[name.size() - random_digits - 1] == '-' &&
         is_random_name(name.substr(name.size() - random_digits));
}

bool names_a_file(std::string_view name) {
  if (!name.starts_with('.') || !name.ends_with(".tmp")) return false;
  name.remove_suffix(4);
  const std::size_t dot = name.rfind('.');
  return dot > 0 && is_random_name(name.substr(dot + 1));
}

/// Whether `path` names the open file.
bool is_at(const FileDescriptor& file, const fs::path& path) {
  struct stat open {};
  struct stat named {};
  return ::fstat(file.get(), &open) == 0 && ::lstat(path.c_str(), &named) == 0 && open.st_dev == named.st_dev &&
         open.st_ino == named.st_ino;
}

void remove_tree(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (!error) return;
  // A build may leave folders that cannot be written to.
  fs::recursive_directory_iterator at(path, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    std::error_code ignored;
    if (at->symlink_status(ignored).type() == fs::file_type::directory) ::chmod(at->path().c_str(), 0700);
  }
  fs::remove_all(path, error);
}

void remove_if_abandoned(const fs::path& path, mode_t type) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!file.is_open() || ::fstat(file.get(), &status) != 0) return;
  if (status.st_uid != ::geteuid() || (status.st_mode & S_IFMT) != type) return;
  if (type == S_IFDIR && (status.st_mode & 0777) != 0700) return;
  // Whoever uses it has the lock. Who makes one and waits for the lock sees then that it is gone.
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0 && is_at(file, path)) remove_tree(path);
}

}  // namespace

std::string random_name() {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != sizeof number) {
    throw Error(ErrorKind::failed, "this system gives no random numbers");
  }
  return fmt::format("{:016x}", number);
}

Temporary Temporary::folder(const fs::path& parent, std::string_view kind) {
  return {Type::folder, parent / kind, fmt::format("veneer-{}-", kind), ""};
}

Temporary Temporary::file_for(const fs::path& path) {
  const std::string name = path.filename().native().substr(0, longest_kept_name);
  return {Type::file, path, fmt::format(".{}.", name), ".tmp"};
}

Temporary::Temporary(Type type, const fs::path& wanted, std::string_view before, std::string_view after) {
  for (;;) {
    path_ = wanted.parent_path() / fmt::format("{}{}{}", before, random_name(), after);
    {
      const std::lock_guard lock(living().mutex);
      if (!make(type, wanted)) continue;
      living().paths.insert(path_);
    }
    // Where files cannot be locked, nobody gets the lock for removing it either.
    while (::flock(descriptor_.get(), LOCK_EX) != 0 && errno == EINTR) {
    }
    if (is_at(descriptor_, path_)) return;
    const std::lock_guard lock(living().mutex);
    living().paths.erase(path_);
  }
}

/// False when there is something of that name.
bool Temporary::make(Type type, const fs::path& wanted) {
  if (type == Type::folder) {
    if (::mkdir(path_.c_str(), 0700) != 0) {
      if (errno == EEXIST) return false;
      throw_system_error("create a folder in", wanted.parent_path(), errno);
    }
    descriptor_ = FileDescriptor(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!descriptor_.is_open() && errno != ENOENT) throw_system_error("open", path_, errno);  // removed at once
    return true;
  }
  descriptor_ = FileDescriptor(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!descriptor_.is_open()) {
    if (errno == EEXIST) return false;
    throw_system_error("create", wanted, errno);
  }
  return true;
}

Temporary::~Temporary() {
  const std::lock_guard lock(living().mutex);
  living().paths.erase(path_);
}

void Temporary::remove() const { remove_tree(path_); }

TemporaryFolder::TemporaryFolder(const fs::path& parent, std::string_view kind)
    : folder_([&] {
        make_folders(parent);
        remove_abandoned(parent);
        return Temporary::folder(parent, kind);
      }()) {}

void remove_abandoned(const fs::path& folder) {
  std::error_code error;
  fs::directory_iterator at(folder.empty() ? "." : folder, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename().native();
    if (names_a_folder(name)) remove_if_abandoned(at->path(), S_IFDIR);
    if (names_a_file(name)) remove_if_abandoned(at->path(), S_IFREG);
  }
}

void remove_temporaries() {
  living().mutex.lock();
  for (const fs::path& path : living().paths) remove_tree(path);
}

}  // namespace veneer
