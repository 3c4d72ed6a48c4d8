// Interpreters that uv has archives of: which there are, and bringing one. uv does it, so that its settings for
// mirrors, lists, proxies and certificates hold. Thread-safe.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/digest.hh"
#include "python/supply/uv_build.hh"

namespace veneer::python {

/// A row of what `uv python list` says.
struct UvPython {
  std::string key;      // "cpython-3.12.15-linux-x86_64-gnu"
  std::string version;  // "3.12.15"
  std::string url;      // without a user's name and password
};

/// The CPythons with the GIL in `uv python list --only-downloads --output-format json`, in its order, which is the
/// newest first. Throws Error (refused) for what is no such list.
std::vector<UvPython> parse_uv_pythons(std::string_view json);

struct UvPythonRequest {
  std::string wanted;   // "3.12", "3.12.4"
  std::string machine;  // as platform.machine()
  std::function<bool(const std::string& full_version)> fits;
};

/// The newest release for glibc that fits; a pre-release only when `wanted` is one. Errors: not_found without uv, and
/// when it lists none (with those that it does list, where there are any); network when it cannot read its list.
UvPython find_uv_python(const UvProgram& uv, const UvPythonRequest& request);

struct UvPythonArchive {
  std::filesystem::path path;  // in the folder that was given
  FileHash hash;
};

/// Has uv install it below `folder`, an empty one, and takes the archive that it keeps. Throws Error (network) with
/// what uv said when that fails.
UvPythonArchive fetch_uv_python(const UvProgram& uv, const UvPython& python, const std::filesystem::path& folder);

}  // namespace veneer::python
