// Which distribution owns a path that several want. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "python/wheel/finding.hh"
#include "tree/file_tree.hh"

namespace veneer::python {

/// A file that a distribution installs.
struct Claim {
  std::string path;        // in the image, no leading slash
  std::uint32_t mode = 0;  // permission bits
  std::string content;     // "sha256:<hex>" of a file, "link:<target>" of a symbolic link

  bool operator==(const Claim&) const = default;
};

/// What one distribution installs; folders are not claimed.
struct Claims {
  std::string name;          // normalised
  std::vector<Claim> files;  // sorted by path

  bool operator==(const Claims&) const = default;
};

/// The claims of an installed wheel. Hashes are those that RECORD promises, where it does; other files are read.
Claims claims_of(std::string_view name, const tree::FileTree& installed);

/// As JSON text, and back. Reading throws Error (refused) when the text is no such thing.
std::string claims_to_text(const Claims& claims);
Claims claims_from_text(std::string_view text);

/// Two distributions with different files for one path.
struct PathOverlap {
  std::string path;
  std::string winner;  // the greater normalised name: its file is the one in the image
  std::string loser;

  auto operator<=>(const PathOverlap&) const = default;
};

/// All of them, sorted by path. Equal files are no overlap. Where more than two want a path, each loser stands in a
/// line of its own. A file of one that is a folder of another is an Error (refused) that names both and the path, as
/// are two claims of one name. The order of `all` does not matter.
std::vector<PathOverlap> find_overlaps(std::span<const Claims> all);

/// The same, as sentences for people.
std::vector<Finding> overlap_findings(std::span<const PathOverlap> overlaps);

}  // namespace veneer::python
