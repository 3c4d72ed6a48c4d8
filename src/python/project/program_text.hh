// What the texts in a program tell about it without running it. Internal to base_target. Pure, thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace veneer::python {

/// Whether the program is loaded by musl's loader (true) or glibc's (false); nothing when by neither.
std::optional<bool> uses_musl(std::string_view file);

/// The first text in `file`, from one NUL byte to the next, that starts with `start` and is accepted.
std::optional<std::string> find_text(std::string_view file, std::string_view start,
                                     const std::function<bool(std::string_view)>& accept);

/// CPython's own version of minor version 3.`minor`, "3.12.7" or "3.13.0rc1".
std::optional<std::string> find_python_version(std::string_view file, int minor);

/// The same where linkers have put it into the end of another text, such as a prefix "/opt/pythons/3.12.7": the only
/// version that texts end with. Nothing when they end with several.
std::optional<std::string> find_python_version_at_end(std::string_view file, int minor);

/// PY_VERSION of the text of CPython's patchlevel.h, when it is of minor version 3.`minor`.
std::optional<std::string> version_in_patchlevel(std::string_view header, int minor);

/// Whether `text` is a full version of minor version 3.`minor`: "3.12.7", "3.13.0rc1".
bool is_full_version(std::string_view text, int minor);

}  // namespace veneer::python
