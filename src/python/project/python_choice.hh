// Which Python an image gets, and from where, decided before anything is downloaded or made. Pure, thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "python/project/python_request.hh"
#include "python/target.hh"

namespace veneer::python {

/// A release of Debian and the Python that it calls python3.
struct DebianRelease {
  std::string_view suite;
  int minor;
  std::string_view version;
  int glibc;         // 2.x
  bool is_released;  // else it moves: its version is one that it had
};

/// Nothing for a suite that is not in the table (sid, older ones), of which nothing is known.
const DebianRelease* find_debian_release(std::string_view suite);

/// The newest that is released, which images stand on where nothing says another one.
const DebianRelease& newest_debian_release();

/// Names of the packages of a lock that would be installed.
struct LockedFiles {
  std::vector<std::string> wheels;    // those that have a wheel for that Python
  std::vector<std::string> no_wheel;  // those from an index that have none
};
/// For a Python and libc of Debian. Nothing when the lock does not allow that Python.
using LockedFilesFor = std::function<std::optional<LockedFiles>(const Target& target)>;

struct PythonQuestion {
  std::string requires_python;                // PEP 440 specifiers; empty: any
  std::optional<PlacedRequest> option;        // --python, or python of [tool.veneer]
  std::optional<PlacedRequest> version_file;  // .python-version
  std::optional<PlacedRequest> dockerfile;    // "3.12" of a stage FROM python:3.12
  std::string suite;                          // of the base that was named, one of the table; empty: none was
  std::string machine;                        // as in Target
};

enum class PythonSource {
  base,    // the image that was named has it
  debian,  // its package python3
  uv,      // an archive of those that uv installs
};

/// "base", "debian", "uv".
std::string_view python_source_name(PythonSource source);

/// The reason where a base decides and nobody said anything.
inline constexpr std::string_view reason_of_base = "it is that of the base";

struct PythonChoice {
  int minor = 0;
  std::string exact;        // the full version, when one was asked for
  std::string constraints;  // specifiers that the patch level must satisfy; empty when every one does
  PythonSource source = PythonSource::debian;
  std::string suite;               // of Debian, with or without its python3
  std::string reason;              // ".python-version:1 says 3.12"
  std::vector<std::string> notes;  // what was passed over, and why

  /// "3.12" or "3.12.4".
  std::string wanted() const { return exact.empty() ? "3." + std::to_string(minor) : exact; }
  /// "Python 3.12 by uv, because .python-version:1 says 3.12".
  std::string text() const;
};

/// In this order: the option; the version file; the Python of the base that was named, where requires-python allows it;
/// the Dockerfile; the newest minor, from that of Debian's newest release downwards, at which no package lacks a wheel
/// that has one for an older allowed minor; requires-python. Only 3.10 and newer count as older minors, and a newer one
/// than Debian's is taken where no other is allowed. Debian's python3 is taken where a release has it (of a named base:
/// that release), else uv's on the named release or the newest. Throws Error (refused) when nothing satisfies the
/// request and requires-python; a Dockerfile's that does not is passed over.
PythonChoice choose_python(const PythonQuestion& question, const LockedFilesFor& files_for);

}  // namespace veneer::python
