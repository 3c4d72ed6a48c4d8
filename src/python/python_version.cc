#include "python/python_version.hh"

#include <algorithm>

#include "python/version.hh"

namespace veneer::python {

bool PythonVersion::has_patch() const { return std::ranges::count(text, '.') > 1; }

std::optional<PythonVersion> parse_python_version(std::string_view text) {
  PythonVersion result;
  if (text.ends_with('t')) {
    result.threading = Threading::free_threaded;
    text.remove_suffix(1);
  }
  const std::optional<Version> version = Version::parse(text);
  // No spelling but the usual one: it becomes names of folders.
  if (!version || version->text() != text || !text.starts_with("3.")) return std::nullopt;
  const std::size_t parts = version->release.size();
  const bool is_final = !version->is_prerelease() && !version->post && version->local.empty();
  const bool fits = (parts == 3 || (parts == 2 && is_final)) && version->release[1] < 1000;
  if (!fits) return std::nullopt;
  result.minor = static_cast<int>(version->release[1]);
  result.text = text;
  return result;
}

}  // namespace veneer::python
