// What a list of Debian packages brings and costs, and what of it an image does not need. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/archive_index.hh"

namespace veneer::base {

struct PackageCost {
  std::uint64_t packages = 0;
  std::uint64_t installed = 0;  // bytes on disk, as the packages' makers estimate them
  std::uint64_t download = 0;   // bytes of their files

  bool operator==(const PackageCost&) const = default;
};

struct ListedPackage {
  enum class Verdict {
    runs,     // nothing says that an image does not need it
    builds,   // for compiling and fetching when something is built
    present,  // every image has it
    unknown,  // the suite has no package of that name
  };
  std::string name;
  Verdict verdict = Verdict::runs;
  std::string why;                   // of verdicts but `runs`, and where a project uses it
  std::vector<std::string> instead;  // of `builds` the libraries to run with, of `unknown` names that are near
  std::vector<std::string> brings;   // with it, sorted, without what every image has
  PackageCost all;                   // of `brings` and itself
  PackageCost own;                   // of what would go with it, because nothing else of the list brings it
};

struct PackageListReport {
  std::vector<ListedPackage> listed;  // in the order of the list, each once
  PackageCost base;                   // what every image has
  PackageCost all;                    // of the whole list above that
  PackageCost kept;                   // of `proposal` above that
  std::vector<std::string> proposal;  // the list for an image: without what builds, with what is to be there instead
  std::vector<std::string> findings;  // "libpango-1.0-0 draws text, and no package of the list has a font"
};

struct PackageListRequest {
  std::vector<std::string> names;
  std::vector<std::string> base_packages;  // beside the minimal system; see debian_packages()
  std::vector<std::string> distributions;  // of the project's lock, normalised: some run programs or draw text
};

PackageListReport explain_packages(const ArchiveIndex& index, const PackageListRequest& request);

}  // namespace veneer::base
