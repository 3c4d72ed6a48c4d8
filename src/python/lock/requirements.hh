// requirements.txt as a lock: pinned versions with hashes, as `uv export` and `pip-compile --generate-hashes` write it
// (pip's requirements file format). It names releases and not files, so a selection from it is filled in with what the
// index has. Pure, thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "python/lock/pylock.hh"
#include "python/lock/read_lock.hh"
#include "python/lock/select.hh"
#include "python/requirement.hh"
#include "python/selection.hh"
#include "python/target.hh"

namespace veneer::python {

struct RequirementsLine {
  std::string name;  // normalised; empty for a folder or archive that is named by its path alone
  Marker marker;
  std::string version;              // of a release
  std::vector<std::string> hashes;  // "sha256:…", any of which is right; may be empty
  std::string location;             // of what is no release: a URL or path
  Editable editable = Editable::no;
};

struct RequirementsFile {
  std::vector<RequirementsLine> lines;
  /// "--index-url https://…" and the like, in the file's order, for whoever asks the index.
  std::vector<std::string> index_options;
};

/// Whether `file_name` ends with ".txt".
bool is_requirements_name(std::string_view file_name);

/// The URL or path in one of the index options; empty for --no-index.
std::string place_of_index(std::string_view option);

/// "${NAME}" (capitals, digits, "_") in URLs and paths is filled in from `variables`; one that is not there stays in an
/// index option and is refused in a requirement. Throws Error (refused) that names the line: a requirement that is not
/// pinned to one version, another file that is included, options that change what is installed, malformed hashes, URLs
/// of indexes and requirements.
RequirementsFile parse_requirements(std::string_view text, const Variables& variables = {});

/// The project's name in the folder at a path, which the file itself does not tell.
using NameOfFolder = std::function<std::string(const std::string& path)>;

/// What applies to `target`. Releases are of kind `release`: which file is taken is not known yet. Throws Error
/// (refused) as select() does for locks, and for options that a requirements file cannot answer (extras, groups,
/// members).
Selection select(const RequirementsFile& file, const Target& target, const SelectOptions& options,
                 const NameOfFolder& name_of_folder);

/// `selection` with its releases replaced by the best of the files in `available` that have one of the hashes asked
/// for. A release without hashes gets a file without hash, so that it counts as not locked.
Selection fill_in(const Selection& selection, const Pylock& available, const Target& target);

}  // namespace veneer::python
