// The file names of distributions: wheels (binary distribution format of packaging.python.org, PEP 427, PEP 491) and
// source distributions (PEP 625). Pure, thread-safe.
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

/// What decides whether a wheel can be installed, and which of two is the better one.
struct WheelNameTags {
  std::string build;
  std::vector<std::string> tags;  // as in WheelFileName
};

/// Nothing for the name of a wheel that can never be chosen: no wheel at all, a variant, malformed tags. Name and
/// version are not looked at.
std::optional<WheelNameTags> read_wheel_tags(std::string_view file_name);

/// Whether the build tag `left` is the greater one: as a number, then as text; none is the smallest (binary
/// distribution format).
bool is_later_build(std::string_view left, std::string_view right);

struct SdistFileName {
  std::string name;     // normalised
  std::string version;  // as written
};

/// Nothing when `file_name` is not "name-version.tar.gz" or ".zip" with a version of PEP 440.
std::optional<SdistFileName> parse_sdist_file_name(std::string_view file_name);

/// "cp310.cp311-abi3-manylinux1_x86_64" as all its single tags, sorted. Nothing when it has not three parts.
std::optional<std::vector<std::string>> expand_tags(std::string_view tags);

}  // namespace veneer::python
