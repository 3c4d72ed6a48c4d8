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

/// The same without a reason: nothing for what is no name of a wheel that veneer supports.
std::optional<WheelFileName> read_wheel_file_name(std::string_view file_name);

struct SdistFileName {
  std::string name;     // normalised
  std::string version;  // as written
};

/// Nothing when `file_name` is not "name-version.tar.gz" or ".zip" with a version of PEP 440.
std::optional<SdistFileName> parse_sdist_file_name(std::string_view file_name);

/// "cp310.cp311-abi3-manylinux1_x86_64" as all its single tags, sorted. Nothing when it has not three parts.
std::optional<std::vector<std::string>> expand_tags(std::string_view tags);

}  // namespace veneer::python
