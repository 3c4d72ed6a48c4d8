#include "base/mmdebstrap.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string_view>

#include "base/normalise.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/process.hh"
#include "foundation/standard_path.hh"
#include "foundation/text.hh"

namespace veneer::base {

namespace fs = std::filesystem;

namespace {

/// Runs inside of the new root, once for each of its Python interpreters. A child process for every file: the byte code
/// of a file depends on what was compiled before it in the same process (python/cpython#129724).
constexpr std::string_view compile_script = R"(import importlib.util, os, py_compile, sys
tag = sys.implementation.cache_tag
before = os.stat("/tmp/veneer/before").st_ctime_ns
caches = []
for folder, names, files in os.walk("/usr"):
    names.sort()
    if folder.endswith("/__pycache__"):
        caches += [folder + "/" + name for name in sorted(files) if name.endswith("." + tag + ".pyc")]
caches = [cache for cache in caches if os.stat(cache).st_ctime_ns >= before]
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

/// Runs inside of the root, with the packages as arguments.
constexpr std::string_view install_script = R"(set -e
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
rm -f /etc/resolv.conf
cp /tmp/veneer/resolv.conf /etc/
cat /tmp/veneer/pins > /tmp/veneer/preferences
[ ! -f /etc/apt/preferences ] || cat /etc/apt/preferences >> /tmp/veneer/preferences
apt-get --config-file=/tmp/veneer/apt.conf update
: > /tmp/veneer/before
if ! apt-get --config-file=/tmp/veneer/apt.conf install "$@"; then
  [ -s /tmp/veneer/pins ] || exit 100
  apt-get --config-file=/tmp/veneer/apt.conf -o Dir::Etc::Preferences=/etc/apt/preferences install "$@"
fi
for python in /usr/bin/python3.*; do
  case ${python##*/} in *[!0-9.pythont]*) continue ;; esac
  [ -f "$python" ] && [ ! -h "$python" ] || continue
  echo "N: veneer compiles"
  /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 PYTHONHASHSEED=0 \
    "$python" -I -S /tmp/veneer/compile.py
done
)";

/// $1 is the root, into which the folder "veneer" was copied. A mirror that is a folder of this machine is seen there
/// in a mount namespace of its own, so that nobody who clears the root comes into it.
std::string install_hook(const std::string& mirror_folder, const std::vector<std::string>& packages) {
  std::string run = fmt::format("exec chroot \"$1\" sh /tmp/veneer/install {}", fmt::join(packages, " "));
  if (mirror_folder.empty()) return run;
  return fmt::format("exec unshare --mount sh -c 'mount --bind \"{}\" \"$1/tmp/veneer/mirror\" && {}' sh \"$1\"",
                     mirror_folder, run);
}

/// Lines of apt_preferences(5): these versions, even where the archive has a newer one. One that it lacks counts for
/// nothing.
std::string preferences(const std::vector<LockedPackage>& pins, const std::string& architecture) {
  std::string text;
  for (const LockedPackage& pin : pins) {
    const bool is_foreign = pin.architecture != architecture && pin.architecture != "all";
    text += fmt::format("Package: {}{}\nPin: version {}\nPin-Priority: 1001\n\n", pin.name,
                        is_foreign ? ":" + pin.architecture : "", pin.version);
  }
  return text;
}

/// $1 is the new root, still empty. Debian's roots have /bin and others as links into /usr since bookworm; made here,
/// they need not be made by the package usrmerge, which would bring all of Perl along.
std::string merged_usr_hook(const std::string& architecture) {
  const bool has_lib64 = architecture == "amd64" || architecture == "ppc64el";
  return fmt::format(
      "for folder in bin sbin lib{}; do mkdir -p \"$1/usr/$folder\"; "
      "[ -e \"$1/$folder\" ] || [ -h \"$1/$folder\" ] || ln -s \"usr/$folder\" \"$1/$folder\"; done; "
      "mkdir -p \"$1/etc/apt/preferences.d\"; "
      "cp preferences \"$1/{}\"",
      has_lib64 ? " lib64" : "", preferences_path);
}

/// What a line of mmdebstrap or of apt in its hook means to the user; nothing when it means little.
std::string progress_line(std::string_view line) {
  const std::vector<std::string> words = split_words(line, " ");
  // "Get:4 http://… bookworm/main amd64 libpq5 amd64 15.20 [205 kB]", "Setting up libpq5:amd64 (15.20) ..."
  if (line.starts_with("Get:") && words.size() > 6) return "fetching " + printable(words[4]);
  if (line.starts_with("Get:")) return "reading the lists of the archive";
  if (line.starts_with("Unpacking ") && words.size() > 1) return "unpacking " + printable(words[1]);
  if (line.starts_with("Setting up ") && words.size() > 2) return "setting up " + printable(words[2]);
  if (line == "N: veneer compiles") return "compiling the byte code of Python's modules...";
  if (!line.starts_with("I: ")) return {};
  line.remove_prefix(3);
  for (const std::string_view boring :
       {"chroot architecture", "finding correct", "automatically chosen", "using /", "running special hook",
        "running --", "nothing to", "no essential", "removing tempdir", "done", "success", "skipping", "creating"}) {
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
                         {"PATH", std::string(standard_path)}};
  command.unset = {"APT_CONFIG", "LD_PRELOAD", "LANGUAGE", "LANG", "PYTHONPATH", "PYTHONHOME"};
  command.folder = scratch;
  return command;
}

constexpr std::string_view unchecked_date = "Acquire::Check-Valid-Until \"false\"";

/// What apt is told besides its sources, as lines of apt.conf(5) without their ends.
std::vector<std::string> apt_options(const DebianArchive& archive) {
  std::vector<std::string> options;
  if (!archive.snapshot.empty()) options.emplace_back(unchecked_date);
  options.insert(options.end(), archive.options.begin(), archive.options.end());
  return options;
}

const fs::path resolver = "/etc/resolv.conf";
const fs::path certificates = "/etc/ssl/certs/ca-certificates.crt";

/// A root need not have what this machine has.
std::string text_of(const fs::path& path) { return read_text_file_if_exists(path, 64 << 20).value_or(""); }

/// The folder of a mirror that lies on this machine, else nothing.
std::string folder_of(const std::string& mirror) { return mirror.starts_with("file:///") ? mirror.substr(7) : ""; }

/// What apt in the root is told.
std::string apt_configuration(const DebianArchive& archive) {
  std::vector<std::string> lines = {
      "Acquire::GzipIndexes \"false\"",
      "Acquire::Languages \"none\"",
      "APT::Get::Assume-Yes \"true\"",
      "APT::Install-Recommends \"false\"",
      "APT::Sandbox::User \"root\"",
      "APT::Solver \"internal\"",
      "APT::Update::Error-Mode \"any\"",
      "Dpkg::Use-Pty \"false\"",
      "DPkg::Options { \"--force-confdef\"; \"--force-confold\"; }",
      "Acquire::https::CAInfo \"/tmp/veneer/certificates\"",
      "Dir::Etc::Preferences \"/tmp/veneer/preferences\"",
  };
  if (!archive.suite.empty()) {
    lines.emplace_back("Dir::Etc::SourceList \"/tmp/veneer/sources.list\"");
    lines.emplace_back("Dir::Etc::SourceParts \"/dev/null\"");
  }
  for (std::string& option : apt_options(archive)) lines.push_back(std::move(option));
  return fmt::format("{};\n", fmt::join(lines, ";\n"));
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
  if (mentions(" is expired (") || mentions("is not valid yet")) {
    throw Error(ErrorKind::network, message,
                fmt::format("a frozen copy of an archive has old dates; take it all the same by [tool.veneer.system] "
                            "apt_options = ['{}'], or set this machine's clock",
                            mentions("is not valid yet") ? "Acquire::Check-Date \"false\"" : unchecked_date));
  }
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

/// Writes what the command prints to `output`; what it says of its progress goes to `on_line`.
void run_to_file(const Command& command, Privilege privilege, const fs::path& output, const OnLine& on_line) {
  AtomicFile file(output, 0600);
  std::string pending;
  const auto pass_on = [&](std::string_view piece) {
    pending += piece;
    for (std::size_t end = 0; (end = pending.find('\n')) != std::string::npos; pending.erase(0, end + 1)) {
      const std::string_view line = std::string_view(pending).substr(0, end);
      if (!on_line) continue;
      if (const std::string text = progress_line(line); !text.empty()) on_line(text);
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
                       const std::vector<LockedPackage>& pins, const fs::path& scratch, const fs::path& output,
                       const OnLine& on_line) {
  write_text_file(scratch / "preferences",
                  "Package: usrmerge\nPin: release *\nPin-Priority: -1\n\n" + preferences(pins, architecture));
  Command command = base_command(privilege, architecture, scratch);
  command.arguments.push_back("--variant=minbase");
  command.arguments.push_back("--skip=cleanup/apt/lists");
  command.arguments.push_back("--setup-hook=" + merged_usr_hook(architecture));
  for (const std::string& option : dpkg_options) command.arguments.push_back("--dpkgopt=" + option);
  for (const std::string& option : apt_options(archive)) command.arguments.push_back("--aptopt=" + option);
  command.arguments.insert(command.arguments.end(), {archive.suite, "-"});
  const std::vector<std::string> sources = source_lines(archive);
  // mmdebstrap knows where Debian's own packages of each architecture are.
  if (!archive.mirror.empty()) command.arguments.insert(command.arguments.end(), sources.begin(), sources.end());
  run_to_file(command, privilege, output, on_line);
}

void install_packages(const DebianArchive& archive, const std::string& architecture, Privilege privilege,
                      const fs::path& lower, const WantedPackages& packages, const fs::path& scratch,
                      const fs::path& output, const OnLine& on_line) {
  // Hooks name files of `scratch`, where mmdebstrap runs, so that no path needs quoting.
  std::error_code error;
  fs::rename(lower, scratch / "lower.tar", error);
  if (error) throw_system_error("rename", lower, error.value());
  const std::string mirror_folder = folder_of(archive.mirror);
  DebianArchive seen = archive;
  // Not "file:", of which apt keeps links to the archive's lists instead of the lists.
  if (!mirror_folder.empty()) seen.mirror = "copy:///tmp/veneer/mirror";
  const fs::path given = scratch / "veneer";
  make_folders(given / "mirror");
  write_text_file(given / "install", install_script);
  write_text_file(given / "compile.py", compile_script);
  write_text_file(given / "apt.conf", apt_configuration(archive));
  write_text_file(given / "pins", preferences(packages.pins, architecture));
  write_text_file(given / "resolv.conf", text_of(resolver));
  write_text_file(given / "certificates", text_of(archive.certificates.empty() ? certificates : archive.certificates));
  if (!archive.suite.empty()) {
    write_text_file(given / "sources.list", fmt::format("{}\n", fmt::join(source_lines(seen), "\n")));
  }
  Command command = base_command(privilege, architecture, scratch);
  command.arguments.insert(
      command.arguments.end(),
      {"--variant=custom", "--skip=update,cleanup/apt/lists", "--setup-hook=tar-in lower.tar /",
       "--customize-hook=copy-in veneer /tmp", "--customize-hook=" + install_hook(mirror_folder, packages.names)});
  // Of these, which it wants to have, it reads nothing.
  command.arguments.insert(command.arguments.end(), {"unstable", "-", "deb [trusted=yes] copy:/dev/null ./"});
  run_to_file(command, privilege, output, on_line);
}

std::vector<std::string> source_lines(const DebianArchive& archive) {
  if (!archive.snapshot.empty() && archive.mirror.empty()) {
    throw Error(ErrorKind::refused, "a snapshot of Debian's archive needs to know the snapshot service",
                "set mirror in [tool.veneer.system] to its URL");
  }
  std::string mirror = archive.mirror;
  while (mirror.ends_with('/')) mirror.pop_back();
  const bool is_own = mirror.empty();
  std::string security;
  if (is_own) {
    mirror = "http://deb.debian.org/debian";
    security = "http://deb.debian.org/debian-security";
  } else if (!archive.snapshot.empty()) {
    security = fmt::format("{}/archive/debian-security/{}", mirror, archive.snapshot);
    mirror = fmt::format("{}/archive/debian/{}", mirror, archive.snapshot);
  }
  std::vector<std::string> lines = {fmt::format("deb {} {} main", mirror, archive.suite)};
  if (archive.suite == "sid" || archive.suite == "unstable" || archive.suite == "experimental") return lines;
  lines.push_back(fmt::format("deb {} {}-updates main", mirror, archive.suite));
  if (!security.empty()) lines.push_back(fmt::format("deb {} {}-security main", security, archive.suite));
  return lines;
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
