// What an image holds, as its layers and its configuration tell: Debian's packages, Python's distributions, uv's
// interpreter. Thread-safe; memory does not grow with the image's files but for their names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/installed_packages.hh"
#include "base/os_release.hh"
#include "image/blobs.hh"
#include "image/files_label.hh"
#include "image/image.hh"
#include "python/licence.hh"

namespace veneer::sbom {

struct Distribution {
  std::string name;  // normalised
  std::string version;
  std::optional<python::Licence> licence;
  std::optional<image::InstalledFile> file;  // that it was installed from, where the image's label says it
  bool is_project = false;                   // what the image was made for: in veneer's application layer

  bool operator==(const Distribution&) const = default;
};

struct ImageContents {
  base::OsRelease release;
  std::vector<base::InstalledPackage> debian;  // sorted by name, architecture, version
  std::vector<Distribution> python;            // sorted by name, version; each once
  std::optional<image::InstalledInterpreter> interpreter;
  std::vector<std::string> notes;  // what there is and is not listed
};

/// More of either kind is refused.
inline constexpr std::size_t most_packages = 20'000;

/// Reads all layers. Distributions are those of folders named site-packages and dist-packages but for that of Debian's
/// own python3, which holds what Debian's packages brought. What its metadata does not name properly is left out, and a
/// note says so. Throws Error: as merging layers does; refused for more than `most_packages`, and for files that say
/// what is installed and are larger than any real one.
ImageContents read_contents(const image::Image& image, const image::Blobs& blobs);

/// Name, version and licence in the text of METADATA or PKG-INFO; nothing when it does not name a distribution.
std::optional<Distribution> read_distribution(std::string_view metadata);

/// Whether these can stand in a package URL and a document as they are (Debian policy 5.6.1, 5.6.8, 5.6.12).
bool is_proper(const base::InstalledPackage& package);

}  // namespace veneer::sbom
