// Runs mmdebstrap. Thread-safe.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/base_lock.hh"

namespace veneer::base {

enum class Privilege {
  root,            // chroot and mounts as the superuser
  user_namespace,  // as a normal user with subordinate IDs (user_namespaces(7))
};

/// Where the packages come from.
struct DebianArchive {
  std::string suite;     // "bookworm"
  std::string snapshot;  // "20260101T000000Z": the archive as it was then; needs `mirror`
  /// URL of a mirror; with `snapshot` that of a snapshot service, below which archive/debian/<snapshot>/ lies. Empty:
  /// mmdebstrap's own default, with the suite's updates and security updates. A mirror is asked for the suite and its
  /// updates, a snapshot service for security updates too.
  std::string mirror;
  std::vector<std::string> options;    // lines of apt.conf(5), without the semicolon at the end
  std::filesystem::path certificates;  // by which https is judged; empty: this machine's
};

using OnLine = std::function<void(const std::string&)>;

enum class Refresh { no, yes };

/// Which packages a root gets, and of which versions where they are `pins`, as long as the archive has these.
struct WantedPackages {
  std::vector<std::string> names;
  std::vector<LockedPackage> pins;
};

/// A root with the packages that Debian calls required, and apt, as a tar file `output`, with apt's lists in it.
/// `scratch` is an empty folder.
/// Errors: not_found without mmdebstrap (hint: how to install it), refused for a snapshot without mirror, network when
/// the archive cannot be reached, failed with what mmdebstrap said.
void make_minimal_root(const DebianArchive& archive, const std::string& architecture, Privilege privilege,
                       const std::vector<LockedPackage>& pins, const std::filesystem::path& scratch,
                       const std::filesystem::path& output, const OnLine& on_line);

/// The root in the tar file `lower` with the packages (names that were checked) installed into it by its own apt,
/// without recommended ones, as a tar file `output` that is not normalised: apt's lists are in it. With an empty suite
/// packages come from the sources that the root itself has. The byte code of Python's modules that came is made anew,
/// each file by itself, unbound to times (PEP 552, unchecked hash), so that it does not depend on when and in which
/// order packages were installed. Where the pins do not go together any more, none of them counts. Errors as of
/// make_minimal_root().
void install_packages(const DebianArchive& archive, const std::string& architecture, Privilege privilege,
                      const std::filesystem::path& lower, const WantedPackages& packages,
                      const std::filesystem::path& scratch, const std::filesystem::path& output, const OnLine& on_line);

/// The lines of sources.list(5) for `archive`, whose suite is given; without a mirror those that Debian names.
std::vector<std::string> source_lines(const DebianArchive& archive);

/// How this process can make roots: as root, or in a user namespace. Throws Error (failed) with a hint when in neither
/// way.
Privilege detect_privilege();

}  // namespace veneer::base
