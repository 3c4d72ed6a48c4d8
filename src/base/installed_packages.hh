// What dpkg says is installed in a root (dpkg-query(1), Debian policy chapter 5). Pure but for reading contents;
// thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/digest.hh"
#include "tree/file_tree.hh"

namespace veneer::base {

struct InstalledPackage {
  std::string name;
  std::string version;
  std::string architecture;
  std::uint64_t installed_size = 0;  // bytes, as its maker estimated
  std::optional<Hash> sha256;        // of its file in the archive, where that is known

  bool operator==(const InstalledPackage&) const = default;
};

/// Which paragraphs count.
enum class DpkgState {
  installed,  // of dpkg's own status file those that say so
  any,        // of files below status.d, which hold nothing else
};

/// The packages in `text`, a file of dpkg's (deb-status(5)), in its order, at most `most` of them. Fields that are not
/// known, folded or malformed are passed over; nothing is refused. What stands in a value is not checked.
std::vector<InstalledPackage> packages_in_status(std::string_view text, DpkgState state, std::size_t most);

/// From var/lib/dpkg/status of `root`, sorted by name and architecture; empty without dpkg. Hashes are those of apt's
/// lists, where `root` still has them.
std::vector<InstalledPackage> installed_packages(const tree::FileTree& root);

/// The machine, as Debian names it, that dpkg of `root` is for; empty without dpkg.
std::string native_architecture(const tree::FileTree& root);

/// Those of `now` that `before` lacks in this version.
std::vector<InstalledPackage> packages_added(const std::vector<InstalledPackage>& before,
                                             const std::vector<InstalledPackage>& now);

/// Gives `packages` the hashes that are known for the same packages in `known`: apt's lists name what the archive has
/// now, and it need not be what was installed before.
void keep_hashes(std::vector<InstalledPackage>& packages, const std::vector<InstalledPackage>& known);

/// A line each, and back; nothing when `text` is not of this form.
std::string packages_to_text(const std::vector<InstalledPackage>& packages);
std::optional<std::vector<InstalledPackage>> packages_from_text(std::string_view text);

}  // namespace veneer::base
