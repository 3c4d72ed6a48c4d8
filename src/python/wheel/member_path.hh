// Names of files inside a wheel, which anyone may have written. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace veneer::python {

/// A name that may become a path below a folder: parts separated by single slashes, none of them "." or "..".
struct MemberPath {
  std::string path;
  bool as_written = true;  // false when "." parts or doubled slashes were taken out
};

/// Checks the name of a file or folder (a trailing slash is taken off). Refused with an Error that names it: absolute
/// names, ".." parts, control characters, a part over 255 bytes, a part that a layer would read as a whiteout
/// (".wh."), nothing at all. A backslash is an ordinary character, as it is on Linux.
MemberPath read_member_path(std::string_view name);

/// Checks one name that becomes a file in a folder, such as a script's: as above, and without any slash.
void check_file_name(std::string_view name, std::string_view what);

/// The path `to` as seen from the folder `from`, both relative to the same root: "../../../bin/x".
std::string relative_path(std::string_view from, std::string_view to);

}  // namespace veneer::python
