#include "foundation/sandbox.hh"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <filesystem>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/process.hh"

namespace veneer {

namespace {

/// $1: the new root; the others: the command. Mounts are private to this process and its children.
constexpr std::string_view furnish = R"(
set -eu
root=$1
shift
for folder in proc dev tmp; do
  [ -d "$root/$folder" ] || mkdir "$root/$folder"
done
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=0755 tmpfs "$root/dev"
for node in null zero full random urandom tty; do
  : > "$root/dev/$node"
  mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir -m 1777 "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
)";

/// $1: the root; $2: an empty folder; then what is seen, "--", folder and command. Where a file system cannot be laid
/// over the root, a copy is made.
constexpr std::string_view furnish_open = R"(
set -eu
lower=$1
work=$2
shift 2
PATH=$PATH:/usr/sbin:/sbin
mkdir "$work/top"
mount -t tmpfs -o mode=0755 tmpfs "$work/top"
mkdir "$work/top/upper" "$work/top/work" "$work/top/root"
root=$work/top/root
if ! mount -t overlay -o "lowerdir=$lower,upperdir=$work/top/upper,workdir=$work/top/work" overlay "$root" 2>/dev/null
then
  root=$work/root
  mkdir "$root"
  cp -a "$lower/." "$root"
fi
for folder in proc dev tmp etc; do
  [ -d "$root/$folder" ] || mkdir "$root/$folder"
done
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
for name in resolv.conf hosts; do
  [ -e "/etc/$name" ] || continue
  rm -f "$root/etc/$name"
  cat "/etc/$name" > "$root/etc/$name"
done
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then
    mkdir -p "$root$1"
  else
    mkdir -p "$root${1%/*}"
    [ -e "$root$1" ] || : > "$root$1"
  fi
  mount --rbind "$1" "$root$1"
  shift
done
shift
exec chroot "$root" /bin/sh -c 'cd "$1"; shift; exec "$@"' sh "$@"
)";

bool succeeds(std::vector<std::string> words) {
  Command command;
  command.arguments = std::move(words);
  try {
    return run(command).exit_code == 0;
  } catch (const Error&) {
    return false;
  }
}

std::vector<std::string> joined(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

const std::vector<std::string> clean = {"env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONHASHSEED=0",
                                        "LC_ALL=C.UTF-8"};
const std::vector<std::string> isolated = {"--net", "--pid", "--fork", "--kill-child"};
const std::vector<std::string> as_mapped_root = {"--user", "--map-root-user"};

/// How the new root is entered in the end.
struct Entry {
  std::vector<std::string> unshare;  // options of the namespaces that it takes; may be empty
  std::string user;                  // option of chroot; empty for the root of a user namespace
};

std::optional<Sandbox> furnished(const Entry& entry) {
  std::vector<std::string> words = joined(clean, {"unshare"});
  words = joined(joined(joined(words, entry.unshare), {"--mount"}), isolated);
  // All that can fail is tried out on an empty folder.
  const TemporaryFolder trial(std::filesystem::temp_directory_path(), "sandbox");
  if (!succeeds(joined(words, {"sh", "-c", std::string(furnish), "sh", trial.path().native()}))) return std::nullopt;
  const std::string enter = std::string(furnish) + "exec chroot " + entry.user + " \"$root\" \"$@\"\n";
  return Sandbox{joined(words, {"sh", "-c", enter, "sh"}), true, entry.user.empty()};
}

std::optional<Sandbox> bare(const Entry& entry, const std::vector<std::string>& more) {
  std::vector<std::string> words = clean;
  if (!entry.unshare.empty() || !more.empty()) words = joined(joined(joined(words, {"unshare"}), entry.unshare), more);
  words.push_back("chroot");
  if (!entry.user.empty()) words.push_back(entry.user);
  if (!succeeds(joined(words, {"/", "/bin/true"}))) return std::nullopt;
  return Sandbox{std::move(words), false, entry.user.empty()};
}

}  // namespace

std::string native_machine() {
  struct utsname name {};
  return ::uname(&name) == 0 ? name.machine : "";
}

std::optional<Sandbox> find_sandbox(Furniture furniture, const SandboxUser& user) {
  const Entry superuser{{}, fmt::format("--userspec={}:{}", user.uid, user.gid)};
  const Entry namespaced{as_mapped_root, ""};
  if (furniture == Furniture::wanted) {
    for (const Entry& entry : {superuser, namespaced}) {
      if (auto found = furnished(entry)) return found;
    }
  }
  for (const Entry& entry : {superuser, namespaced}) {
    for (const auto& more : {isolated, std::vector<std::string>{}}) {
      if (auto found = bare(entry, more)) return found;
    }
  }
  return std::nullopt;
}

std::optional<std::vector<std::string>> find_open_sandbox() {
  for (const std::vector<std::string>& more : {std::vector<std::string>{}, as_mapped_root}) {
    std::vector<std::string> words = joined(joined({"unshare"}, more), {"--mount", "sh", "-c"});
    const TemporaryFolder trial(std::filesystem::temp_directory_path(), "sandbox");
    const std::string try_mounts =
        "mount -t tmpfs tmpfs \"$1\" && mkdir \"$1/proc\" && mount --rbind /proc \"$1/proc\"";
    if (!succeeds(joined(words, {try_mounts, "sh", trial.path().native()}))) continue;
    return joined(words, {std::string(furnish_open), "sh"});
  }
  return std::nullopt;
}

}  // namespace veneer
