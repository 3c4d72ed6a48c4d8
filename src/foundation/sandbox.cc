#include "foundation/sandbox.hh"

#include <fmt/format.h>

#include "foundation/error.hh"
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

bool works(const Sandbox& sandbox) {
  Command command;
  command.arguments = sandbox.words;
  command.arguments.insert(command.arguments.end(), {"/", "/bin/true"});
  try {
    return run(command).exit_code == 0;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

std::optional<Sandbox> find_sandbox(Furniture furniture, const SandboxUser& user) {
  const std::vector<std::string> clean = {"env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONHASHSEED=0",
                                          "LC_ALL=C.UTF-8"};
  const std::vector<std::string> isolated = {"--net", "--pid", "--fork", "--kill-child"};
  const std::string as_user = fmt::format("--userspec={}:{}", user.uid, user.gid);
  const auto try_way = [&](std::vector<std::string> way, bool is_furnished, bool is_root) -> std::optional<Sandbox> {
    Sandbox sandbox{clean, is_furnished, is_root};
    sandbox.words.insert(sandbox.words.end(), way.begin(), way.end());
    return works(sandbox) ? std::optional(std::move(sandbox)) : std::nullopt;
  };
  const auto unshare = [&](std::vector<std::string> first, std::vector<std::string> last) {
    std::vector<std::string> way = {"unshare"};
    way.insert(way.end(), first.begin(), first.end());
    way.insert(way.end(), isolated.begin(), isolated.end());
    way.insert(way.end(), last.begin(), last.end());
    return way;
  };
  if (furniture == Furniture::wanted) {
    // "/" is no root to furnish: that the mounts can be made is tried out on an empty tmpfs.
    const std::string trial = fmt::format(
        "if [ \"$1\" = / ]; then mount -t tmpfs tmpfs /mnt; mount -t proc proc /mnt 2>/dev/null; exec /bin/true; "
        "fi\n{}",
        furnish);
    if (auto found = try_way(
            unshare({"--mount"}, {"sh", "-c", trial + fmt::format("exec chroot {} \"$root\" \"$@\"\n", as_user), "sh"}),
            true, false)) {
      return found;
    }
    if (auto found = try_way(unshare({"--user", "--map-root-user", "--mount"},
                                     {"sh", "-c", trial + "exec chroot \"$root\" \"$@\"\n", "sh"}),
                             true, true)) {
      return found;
    }
  }
  if (auto found = try_way(unshare({}, {"chroot", as_user}), false, false)) return found;
  if (auto found = try_way({"chroot", as_user}, false, false)) return found;
  if (auto found = try_way(unshare({"--user", "--map-root-user"}, {"chroot"}), false, true)) return found;
  return try_way({"unshare", "--user", "--map-root-user", "chroot"}, false, true);
}

}  // namespace veneer
