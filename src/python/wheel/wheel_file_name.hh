// The file name of a wheel (binary distribution format of packaging.python.org, PEP 427, PEP 491) and the comparison of
// names and versions that it needs. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veneer::python {

struct WheelFileName {
  std::string name;               // as written
  std::string version;            // as written
  std::string build;              // build tag, or empty
  std::vector<std::string> tags;  // "py3-none-any"; compressed sets are expanded; sorted, none twice
};

/// Refused with an Error that says what is wrong: another ending than ".whl", folders, missing or bad parts, a variant
/// label (PEP 817, PEP 825), which veneer does not support.
WheelFileName parse_wheel_file_name(std::string_view file_name);

/// "cp310.cp311-abi3-manylinux1_x86_64" as all its single tags, sorted. Nothing when it has not three parts.
std::optional<std::vector<std::string>> expand_tags(std::string_view tags);

/// A distribution's name as PEP 503 normalises it.
std::string normalized_name(std::string_view name);

/// A version as PEP 440 normalises it, without trailing zeros in its release ("1.0.0" and "1" give the same); nothing
/// when it is no such version. An underscore may stand for '+', as it does in the names of wheels.
std::optional<std::string> comparable_version(std::string_view version);

/// Whether both are PEP 440 versions and equal, or one is the other as names of files escape it.
bool same_version(std::string_view left, std::string_view right);

}  // namespace veneer::python
