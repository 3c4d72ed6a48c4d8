// The label "dev.veneer.files": which files the image's Python distributions and its interpreter were installed from.
// docs/formats.md, "The label dev.veneer.files". Pure, thread-safe.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/digest.hh"

namespace veneer::image {

inline constexpr std::string_view files_label = "dev.veneer.files";

struct InstalledFile {
  enum class Kind { wheel, source } kind = Kind::wheel;  // source: an archive that the wheel was built from
  Hash sha256;

  bool operator==(const InstalledFile&) const = default;
};

struct InstalledInterpreter {
  std::string version;  // "3.12.15"
  std::string url;      // without user info
  Hash sha256;

  bool operator==(const InstalledInterpreter&) const = default;
};

struct InstalledFiles {
  std::map<std::string, InstalledFile> distributions;  // by normalised name; those whose lock says a SHA-256
  std::set<std::string> others;                        // the other ones of the lock
  std::optional<InstalledInterpreter> interpreter;     // uv's

  bool empty() const { return distributions.empty() && others.empty() && !interpreter; }
  bool operator==(const InstalledFiles&) const = default;
};

/// Of all distributions, in order.
std::vector<std::string> names_of(const InstalledFiles& files);

std::string write_files_label(const InstalledFiles& files);
/// That, or what was written before: a table of names with digests in hexadecimal digits. Never throws: anyone can
/// write a label, and what is malformed in it says nothing.
InstalledFiles read_files_label(std::string_view label);

}  // namespace veneer::image
