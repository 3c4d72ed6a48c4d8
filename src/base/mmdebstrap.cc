#include "base/mmdebstrap.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "base/normalise.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/process.hh"

namespace veneer::base {

namespace fs = std::filesystem;

namespace {

/// Runs inside of the new root, once for each of its Python interpreters. A child process for every file: the byte code
/// of a file depends on what was compiled before it in the same process (python/cpython#129724).
constexpr std::string_view compile_script = R"(import importlib.util, os, py_compile, sys
tag = sys.implementation.cache_tag
caches = []
for folder, names, files in os.walk("/usr"):
    names.sort()
    if folder.endswith("/__pycache__"):
        caches += [folder + "/" + name for name in sorted(files) if name.endswith("." + tag + ".pyc")]
running = 0
for cache in caches:
    source = importlib.util.source_from_cache(cache)
    os.unlink(cache)
    if not os.path.isfile(source):
        continue
    if os.fork() == 0:
        try:
            py_compile.compile(source, cache, doraise=True,
                               invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        except Exception:
            pass
        os._exit(0)
    running += 1
    if running >= (os.cpu_count() or 1):
        os.wait()
        running -= 1
while running:
    os.wait()
    running -= 1
)";

// $1 is the new root; the script was put into its tmp folder by the hook before.
constexpr std::string_view compile_hook =
    "for python in \"$1\"/usr/bin/python3.*; do case \"${python##*/}\" in *[!0-9.pythont]*) continue;; esac; "
    "[ -f \"$python\" ] && [ ! -h \"$python\" ] || continue; "
    "chroot \"$1\" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 PYTHONHASHSEED=0 "
    "\"/usr/bin/${python##*/}\" -I -S /tmp/veneer-compile.py || exit 1; done";

/// $1 is the new root, still empty. Debian's roots have /bin and others as links into /usr since bookworm; made here,
/// they need not be made by the package usrmerge, which would bring all of Perl along.
std::string merged_usr_hook(const std::string& architecture) {
  const bool has_lib64 = architecture == "amd64" || architecture == "ppc64el";
  return fmt::format(
      "for folder in bin sbin lib{}; do mkdir -p \"$1/usr/$folder\"; "
      "[ -e \"$1/$folder\" ] || [ -h \"$1/$folder\" ] || ln -s \"usr/$folder\" \"$1/$folder\"; done; "
      "mkdir -p \"$1/etc/apt/preferences.d\"; "
      "printf 'Package: usrmerge\\nPin: release *\\nPin-Priority: -1\\n' > \"$1/{}\"",
      has_lib64 ? " lib64" : "", preferences_path);
}

/// What a line of mmdebstrap's own progress means to the user; nothing when it means little.
std::string progress_line(std::string_view line) {
  if (line.starts_with("running --customize-hook")) {
    if (line.find("apt-get") != std::string_view::npos) return "installing the packages...";
    if (line.find("chroot \"$1\" /usr/bin/env") != std::string_view::npos)
      return "compiling the byte code of Python's modules...";
    return {};
  }
  for (const std::string_view boring :
       {"chroot architecture", "finding correct", "automatically chosen", "using /", "running special hook",
        "running --", "nothing to", "no essential", "removing tempdir", "done", "success"}) {
    if (line.starts_with(boring)) return {};
  }
  return printable(line);
}

/// The root's own view of time, host and settings must not get into it.
Command base_command(Privilege privilege, const std::string& architecture, const fs::path& scratch) {
  Command command;
  command.arguments = {"mmdebstrap", "--format=tar", "--architectures=" + architecture,
                       privilege == Privilege::root ? "--mode=root" : "--mode=unshare"};
  command.environment = {{"SOURCE_DATE_EPOCH", std::to_string(fixed_time)},
                         {"LC_ALL", "C.UTF-8"},
                         {"TZ", "UTC"},
                         {"DEBIAN_FRONTEND", "noninteractive"},
                         {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}};
  command.unset = {"APT_CONFIG", "LD_PRELOAD", "LANGUAGE", "LANG", "PYTHONPATH", "PYTHONHOME"};
  command.folder = scratch;
  return command;
}

/// Suite, output and sources, the last arguments.
void add_sources(Command& command, const DebianArchive& archive) {
  if (!archive.snapshot.empty() && archive.mirror.empty()) {
    throw Error(ErrorKind::refused, "a snapshot of Debian's archive needs to know the snapshot service",
                "set mirror in [tool.veneer.system] to its URL");
  }
  if (!archive.snapshot.empty()) command.arguments.push_back("--aptopt=Acquire::Check-Valid-Until \"false\"");
  command.arguments.push_back(archive.suite);
  command.arguments.push_back("-");
  if (archive.mirror.empty()) return;
  std::string mirror = archive.mirror;
  while (mirror.ends_with('/')) mirror.pop_back();
  const bool has_updates = archive.suite != "sid" && archive.suite != "unstable" && archive.suite != "experimental";
  const std::string main =
      archive.snapshot.empty() ? mirror : fmt::format("{}/archive/debian/{}", mirror, archive.snapshot);
  command.arguments.push_back(fmt::format("deb {} {} main", main, archive.suite));
  if (!has_updates) return;
  command.arguments.push_back(fmt::format("deb {} {}-updates main", main, archive.suite));
  if (archive.snapshot.empty()) return;
  command.arguments.push_back(
      fmt::format("deb {}/archive/debian-security/{} {}-security main", mirror, archive.snapshot, archive.suite));
}

[[noreturn]] void throw_failure(const CommandResult& result, Privilege privilege) {
  std::vector<std::string> said;
  std::string_view rest = result.errors;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.starts_with("E: ") && said.size() < 8) said.push_back(printable(line.substr(3)));
  }
  const std::string message =
      fmt::format("mmdebstrap failed with exit code {}: {}", result.exit_code,
                  said.empty() ? last_lines(result.errors) : fmt::format("{}", fmt::join(said, "; ")));
  const auto mentions = [&](std::string_view text) { return result.errors.find(text) != std::string::npos; };
  if (mentions("Unable to locate package") || mentions("has no installation candidate")) {
    throw Error(ErrorKind::not_found, message, "check [tool.veneer.system] packages against the suite");
  }
  if (mentions("Could not resolve") || mentions("Could not connect") || mentions("Failed to fetch") ||
      mentions("Temporary failure resolving")) {
    throw Error(ErrorKind::network, message, "is the Debian mirror reachable? see mirror in [tool.veneer.system]");
  }
  if (mentions("No space left on device")) {
    throw Error(ErrorKind::failed, message, "free some space in the temporary folder (TMPDIR) and the cache");
  }
  if (mentions("newuidmap") || mentions("/etc/subuid") || mentions("unshare")) {
    throw Error(
        ErrorKind::failed, message,
        privilege == Privilege::root ? "" : "install uidmap and give the user a range in /etc/subuid and /etc/subgid");
  }
  throw Error(ErrorKind::failed, message);
}

/// Writes what the command prints to `output`; every line of mmdebstrap's own progress goes to `on_line`.
void run_to_file(const Command& command, Privilege privilege, const fs::path& output, const OnLine& on_line) {
  AtomicFile file(output, 0600);
  std::string pending;
  const auto pass_on = [&](std::string_view piece) {
    pending += piece;
    for (std::size_t end = 0; (end = pending.find('\n')) != std::string::npos; pending.erase(0, end + 1)) {
      const std::string_view line = std::string_view(pending).substr(0, end);
      if (!on_line || !line.starts_with("I: ")) continue;
      if (const std::string text = progress_line(line.substr(3)); !text.empty()) on_line(text);
    }
    if (pending.size() > 64 * 1024) pending.clear();
  };
  CommandResult result;
  try {
    result = run_into(command, file, pass_on);
  } catch (Error& error) {
    if (error.kind() == ErrorKind::not_found)
      error.set_hint("Debian bases are made by mmdebstrap: apt install mmdebstrap");
    throw;
  }
  if (result.exit_code != 0) throw_failure(result, privilege);
  file.commit();
}

bool can_make_user_namespace() {
  const pid_t child = ::fork();
  if (child < 0) return false;
  if (child == 0) ::_exit(::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 ? 0 : 1);
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

void make_minimal_root(const DebianArchive& archive, const std::string& architecture, Privilege privilege,
                       const fs::path& scratch, const fs::path& output, const OnLine& on_line) {
  Command command = base_command(privilege, architecture, scratch);
  command.arguments.push_back("--variant=minbase");
  command.arguments.push_back("--setup-hook=" + merged_usr_hook(architecture));
  for (const std::string& option : dpkg_options) command.arguments.push_back("--dpkgopt=" + option);
  add_sources(command, archive);
  run_to_file(command, privilege, output, on_line);
}

void install_packages(const DebianArchive& archive, const std::string& architecture, Privilege privilege,
                      const fs::path& lower, const std::vector<std::string>& packages, const fs::path& scratch,
                      const fs::path& output, const OnLine& on_line) {
  // Hooks name files of `scratch`, where mmdebstrap runs, so that no path needs quoting.
  std::error_code error;
  fs::rename(lower, scratch / "lower.tar", error);
  if (error) throw_system_error("rename", lower, error.value());
  write_text_file(scratch / "veneer-compile.py", compile_script);
  Command command = base_command(privilege, architecture, scratch);
  command.arguments.push_back("--variant=custom");
  command.arguments.push_back("--setup-hook=tar-in lower.tar /");
  command.arguments.push_back(
      fmt::format("--customize-hook=chroot \"$1\" apt-get --yes --no-install-recommends -o Dpkg::Use-Pty=0 -o "
                  "APT::Solver=internal install {}",
                  fmt::join(packages, " ")));
  command.arguments.push_back("--customize-hook=upload veneer-compile.py /tmp/veneer-compile.py");
  command.arguments.push_back("--customize-hook=" + std::string(compile_hook));
  add_sources(command, archive);
  run_to_file(command, privilege, output, on_line);
}

Privilege detect_privilege() {
  if (::geteuid() == 0) return Privilege::root;
  if (can_make_user_namespace()) return Privilege::user_namespace;
  throw Error(
      ErrorKind::failed, "a Debian base cannot be made here: this user is not root and cannot make user namespaces",
      "allow them (sysctl kernel.unprivileged_userns_clone=1, or the AppArmor setting of Ubuntu), run as root, or "
      "use an oci: or docker-archive: base");
}

}  // namespace veneer::base
