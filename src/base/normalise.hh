// Makes a Debian root reproducible: what depends on the machine, the moment or the mirror goes, what stays gets one
// time. Pure; thread-safe. What is done is listed at normalise_root() and, path by path, in the .cc.
#pragma once

#include <string>
#include <vector>

#include "tree/file_tree.hh"

namespace veneer::base {

/// The time of every entry: 1980-01-01T00:00:00Z.
inline constexpr std::int64_t fixed_time = 315532800;

/// A folder of root's, 0755, of that time: what stands for one that no entry describes.
tree::Inode plain_folder();

/// The files that make dpkg leave out documentation, manual pages and translations, in the image as while it is built.
inline constexpr std::string_view dpkg_options_path = "etc/dpkg/dpkg.cfg.d/veneer";
/// While a root is made; not in the image.
inline constexpr std::string_view preferences_path = "etc/apt/preferences.d/veneer";
extern const std::vector<std::string> dpkg_options;

/// `root` as mmdebstrap packed it, without: devices and other contents of dev, proc, run, sys, tmp; logs; caches and
/// lists of apt; backups, locks and indexes that programs make anew; host name, resolver and the sources of apt;
/// documentation (but copyright files), manual pages and translations; byte code that is bound to a file's time.
/// machine-id is empty, as the first start wants it. Everybody may write the cache of fonts.
tree::FileTree normalise_root(const tree::FileTree& root);

/// `upper`, as packages made it out of `lower`, so that the difference of the two is what they brought: what
/// normalise_root() takes away is as in `lower`, and what is there, too, keeps its time.
tree::FileTree normalise_above(const tree::FileTree& lower, const tree::FileTree& upper);

}  // namespace veneer::base
