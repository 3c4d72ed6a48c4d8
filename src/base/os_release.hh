// What os-release(5) of a root says. Pure but for reading contents; thread-safe.
#pragma once

#include <string>

#include "tree/lookup.hh"

namespace veneer::base {

struct OsRelease {
  std::string id;       // "debian"
  std::string version;  // "12"; empty for what has none, such as sid
  std::string suite;    // VERSION_CODENAME: "bookworm"
};

/// Of etc/os-release of `root`, links followed. What is not there, or has other characters than letters, digits, "-"
/// and ".", is empty.
OsRelease read_os_release(const tree::Lookup& root);

}  // namespace veneer::base
