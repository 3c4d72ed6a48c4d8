#include "python/wheel/member_path.hh"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "foundation/error.hh"

namespace veneer::python {
namespace {

constexpr std::size_t longest_part = 255;  // NAME_MAX

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    parts.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

/// What is wrong with a part that is neither empty nor ".", or nothing.
std::string_view fault_of_part(std::string_view part) {
  if (part == "..") return "it leads out of its folder";
  if (part.size() > longest_part) return "a part of it is longer than 255 bytes";
  if (part.starts_with(".wh.")) return "a layer cannot hold a file that starts with \".wh.\"";
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(part.begin(), part.end(), control)) return "it holds a control character";
  return {};
}

}  // namespace

MemberPath read_member_path(std::string_view name) {
  const auto refuse = [&](std::string_view fault) {
    throw Error(ErrorKind::refused, fmt::format("member {} is refused: {}", printable(name), fault));
  };
  if (name.starts_with('/')) refuse("its name is absolute");
  MemberPath result;
  std::string_view rest = name;
  if (rest.ends_with('/')) rest.remove_suffix(1);
  for (const std::string_view part : split(rest)) {
    if (part.empty() || part == ".") {
      result.as_written = false;
      continue;
    }
    if (const std::string_view fault = fault_of_part(part); !fault.empty()) refuse(fault);
    if (!result.path.empty()) result.path += '/';
    result.path += part;
  }
  if (result.path.empty()) refuse("its name is empty");
  return result;
}

void check_file_name(std::string_view name, std::string_view what) {
  std::string_view fault = fault_of_part(name);
  if (name.empty()) fault = "it is empty";
  if (name == ".") fault = "it names a folder";
  if (name.find('/') != std::string_view::npos) fault = "it holds a slash";
  if (!fault.empty()) {
    throw Error(ErrorKind::refused, fmt::format("{} {} is refused: {}", what, printable(name), fault));
  }
}

std::string relative_path(std::string_view from, std::string_view to) {
  const std::vector<std::string_view> base = split(from);
  const std::vector<std::string_view> target = split(to);
  std::size_t common = 0;
  while (common < base.size() && common + 1 < target.size() && base[common] == target[common]) ++common;
  std::string result;
  for (std::size_t i = common; i < base.size(); ++i) result += "../";
  for (std::size_t i = common; i < target.size(); ++i) {
    if (i > common) result += '/';
    result += target[i];
  }
  return result;
}

}  // namespace veneer::python
