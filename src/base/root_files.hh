// Roots as tar files, and the names that keys and notes of Debian layers are made of. Internal to base. Thread-safe.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/base.hh"
#include "base/machine.hh"
#include "foundation/digest.hh"
#include "tree/file_tree.hh"

namespace veneer::base {

/// Under the key of a layer of packages: packages_to_text() of all that is installed with it.
inline constexpr std::string_view packages_note = "debian-packages";

/// The files of a tar file, their data left in it.
tree::FileTree read_root(const std::filesystem::path& tar);

/// The layers of `base` one above the other, as one tar file, without devices and what lies in /dev: not everybody
/// may make them, and whoever runs programs there furnishes it. `staging` is an empty folder.
void write_merged_root(const Base& base, const std::filesystem::path& staging, const std::filesystem::path& tar);

}  // namespace veneer::base
