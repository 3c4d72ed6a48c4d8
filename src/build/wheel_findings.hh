// What a user should know of the project's files, and of the wheels that were built of folders. Pure; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "python/supply/wheel_supply.hh"

namespace veneer::build {

/// A sentence for each thing: files of git that a wheel lacks, files that git ignores and it has, secrets.
void add_wheel_findings(const python::WheelSupply& supply, std::vector<std::string>& findings);

/// For files `where` that are pointers of Git LFS; nothing for none.
void add_lfs_finding(const std::vector<std::string>& paths, const std::string& where,
                     std::vector<std::string>& findings);

}  // namespace veneer::build
