// Which Debian package the files of a layer belong to, by dpkg's lists of files (dpkg-query(1), --listfiles). Pure,
// thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tree/file_tree.hh"

namespace veneer::inspect {

struct PackageBytes {
  std::string package;  // "libc6"; "dpkg" for its own database; empty for files that no package has
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;  // of their data

  bool operator==(const PackageBytes&) const = default;
};

/// Where dpkg keeps lists: "libc6" for "var/lib/dpkg/info/libc6:amd64.list"; empty for any other path.
std::string_view listed_package(std::string_view path);

/// What the lists say, by the paths at which a container finds the files.
class PackageOwners {
 public:
  /// `lists`: of packages by name, each a path a line. `tree` is the merged one, whose links lists may lead through
  /// (/lib is one since bookworm).
  PackageOwners(const std::map<std::string, std::string>& lists, const tree::FileTree& tree);

  bool empty() const { return owners_.empty(); }
  /// Of a file, of byte code that of its source; empty for one that no package has.
  const std::string& owner(const std::string& path) const;
  /// All of `files` (path, bytes), each in one row: the sums of the rows are those of the files. Largest first.
  std::vector<PackageBytes> sum(const std::vector<std::pair<std::string, std::uint64_t>>& files) const;

 private:
  std::map<std::string, std::string> owners_;  // path -> package
};

}  // namespace veneer::inspect
