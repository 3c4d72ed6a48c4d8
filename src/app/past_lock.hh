// What a lock of some commit, or one in a file, has installed: told from texts, without a base. Reads nothing but what
// it is given.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/surroundings.hh"
#include "python/lock/read_lock.hh"
#include "python/python_version.hh"
#include "python/target.hh"

namespace veneer::app {

/// For what is installed, where nothing says it better.
struct PastTarget {
  std::optional<python::PythonVersion> python;  // none: what the texts say, else 3.13 or one near that they allow
  std::string platform = "linux/amd64";
  std::string libc = "glibc-2.36";
};

/// As they lie beside one another; empty: not there.
struct PastTexts {
  std::string lock;
  std::string lock_name = "uv.lock";  // its file's, which says of which format it is
  std::string pyproject;
  std::string base_lock;       // veneer.lock
  std::string python_version;  // .python-version
};

/// A version of Python for which to select where nothing says one: of 3.13, 3.12, 3.14 … the first that
/// `requires_python` allows.
std::string usual_python(const std::string& requires_python);

/// In this order: `wanted`, what veneer.lock pins for the platform, .python-version, and
/// usual_python() by requires-python of pyproject.toml, else of the lock.
python::Target past_target(const PastTexts& texts, const PastTarget& wanted);

/// Throws Error as python::read_lock() does. `known` as python::parse_lock() has it.
std::unique_ptr<const python::AnyLock> read_past_lock(const PastTexts& texts, const Surroundings& surroundings,
                                                      python::KnownPackages* known = nullptr);

}  // namespace veneer::app
