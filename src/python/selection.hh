// What is to be installed: the result of reading a lock for one target. A value; its JSON form is what
// `veneer select --json` prints.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "foundation/digest.hh"
#include "foundation/value.hh"

namespace veneer::python {

enum class PackageKind {
  wheel,    // a wheel file from an index, a URL or a path
  sdist,    // a source distribution from an index, to be built
  archive,  // a source archive from a URL or path, to be built
  tree,     // a folder, to be built: the project itself, a workspace member, another directory
  git,      // a commit of a git repository, to be built
  release,  // a version that an index has, of which the lock does not say which file to take (requirements.txt)
};

enum class Editable { no, yes };

struct SelectedPackage {
  std::string name;     // normalised (PEP 503)
  std::string version;  // as in the lock; empty when the lock has none (dynamic)
  PackageKind kind = PackageKind::wheel;
  std::string file;      // file name of wheel, sdist or archive; empty for tree and git
  std::string location;  // URL (percent-encoding as in the lock, fragment with hash removed) or path as in the lock
  std::string index;     // URL of the index that lists the file; empty for what comes from elsewhere or is not known
  std::optional<FileHash> hash;
  /// Where `hash` alone does not say it: "sha256:...", "sha512:...", any of which the file may have.
  std::vector<std::string> hashes;
  std::optional<std::uint64_t> size;  // bytes
  std::string subdirectory;           // of an archive or git source
  std::string git_commit;             // of a git source
  Editable editable = Editable::no;   // of a tree
  bool is_project = false;            // a tree that is the lock's own project or a workspace member

  /// "rich 13.9.4"; the name alone when the lock has no version.
  std::string display_name() const { return version.empty() ? name : name + " " + version; }
};

struct Selection {
  std::vector<SelectedPackage> packages;                // sorted by name
  std::vector<std::string> unusable;                    // names that have no file for the target, sorted
  std::map<std::string, std::string> unusable_markers;  // under which the lock has those, where it says so
};

/// In the order of names, as every selection has them.
void sort_by_name(std::vector<SelectedPackage>& packages);

/// "wheel", "sdist", "archive", "tree", "git", "release".
std::string_view package_kind_name(PackageKind kind);

/// {"packages": [{"name", "version", "kind", "file", "sha256", "size"}], "unusable": ["name"]}; what is not known is
/// null, the kind of a release too. The form that `veneer select --json` promises.
Value selection_to_json(const Selection& selection);

}  // namespace veneer::python
