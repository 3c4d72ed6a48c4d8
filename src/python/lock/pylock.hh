// pylock.toml (PEP 751; the pylock.toml specification of packaging.python.org). Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "python/lock/select.hh"
#include "python/lock/uv_lock.hh"
#include "python/marker.hh"

namespace veneer::python {

struct PylockPackage {
  LockPackage package;  // its dependencies are not used
  Marker marker;
  std::string requires_python;  // empty: any
};

struct Pylock {
  std::string requires_python;       // empty: any
  std::vector<Marker> environments;  // empty: all
  std::vector<std::string> extras;
  std::vector<std::string> groups;
  std::vector<std::string> default_groups;
  std::vector<PylockPackage> packages;
};

/// Whether `file_name` is "pylock.toml" or "pylock.<name>.toml".
bool is_pylock_name(std::string_view file_name);

/// Throws Error (refused) that says where, for malformed TOML, another major lock-version than 1, a missing required
/// key ("packages" is one), a package with no source or with more than one, unknown version control systems.
Pylock parse_pylock(std::string_view text);

/// As the specification's installation steps say. Extras and groups of `options` are those of the file; workspace
/// members it does not know. Throws Error as select() does, and for two packages of one name that both apply.
Selection select(const Pylock& lock, const Target& target, const SelectOptions& options);

}  // namespace veneer::python
