#include "base/os_release.hh"

#include <algorithm>

#include "foundation/text.hh"
#include "tree/read_text.hh"

namespace veneer::base {

namespace {
constexpr std::uint64_t largest_os_release = 1 << 20;
}

OsRelease read_os_release(const tree::Lookup& root) {
  OsRelease release;
  const auto path = root.resolve("etc/os-release");
  if (!path) return release;
  for (const std::string& line : split_words(tree::read_text(root, *path, largest_os_release), "\n")) {
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    std::string value = line.substr(equals + 1);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    const auto is_plain = [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '.'; };
    if (!std::all_of(value.begin(), value.end(), is_plain)) continue;
    if (line.starts_with("ID=")) release.id = value;
    if (line.starts_with("VERSION_ID=")) release.version = value;
    if (line.starts_with("VERSION_CODENAME=")) release.suite = value;
  }
  return release;
}

}  // namespace veneer::base
