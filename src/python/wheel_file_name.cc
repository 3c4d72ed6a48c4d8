#include "python/wheel_file_name.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "python/name.hh"
#include "python/version.hh"

namespace veneer::python {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(separator, start), text.size());
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

/// Letters beyond ASCII were allowed once.
bool is_name(std::string_view text) {
  const auto is_inner = [](char c) { return is_digit(c) || is_letter(c) || static_cast<unsigned char>(c) >= 0x80; };
  return !text.empty() && is_inner(text.front()) && is_inner(text.back()) &&
         text.find("__") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [&](char c) { return is_inner(c) || c == '.' || c == '_'; });
}

/// "1.0_abc" stands for 1.0+abc.
bool is_version(std::string_view text) {
  if (Version::parse(text)) return true;
  std::string unescaped(text);
  const std::size_t first = unescaped.find('_');
  if (first != std::string::npos) unescaped[first] = '+';
  return Version::parse(unescaped).has_value();
}

struct Refusal {
  std::string fault;
  std::string hint;
};

std::optional<Refusal> read(std::string_view file_name, WheelFileName& result) {
  if (!file_name.ends_with(".whl")) return Refusal{"it does not end with .whl", ""};
  if (file_name.find('/') != std::string_view::npos) return Refusal{"it holds a slash", ""};
  const std::vector<std::string_view> parts = split(file_name.substr(0, file_name.size() - 4), '-');
  const bool third_is_build = parts.size() > 2 && !parts[2].empty() && is_digit(parts[2][0]);
  if (parts.size() == 7 || (parts.size() == 6 && !third_is_build)) {
    return Refusal{fmt::format("it is a variant wheel (PEP 817, label \"{}\"), which veneer does not support",
                               printable(parts.back())),
                   "lock a plain wheel of this distribution"};
  }
  if (parts.size() != 5 && parts.size() != 6) return Refusal{"it has not five or six parts between dashes", ""};
  result.name = parts[0];
  result.version = parts[1];
  if (parts.size() == 6) result.build = parts[2];
  if (!is_name(parts[0])) return Refusal{"its first part is no distribution's name", ""};
  if (!is_version(parts[1])) return Refusal{"its second part is no version as PEP 440 has them", ""};
  const std::size_t tag_start = static_cast<std::size_t>(parts[parts.size() - 3].data() - file_name.data());
  auto tags = expand_tags(file_name.substr(tag_start, file_name.size() - 4 - tag_start));
  if (!tags) return Refusal{"its last three parts are no compatibility tags", ""};
  result.tags = std::move(*tags);
  return std::nullopt;
}

}  // namespace

WheelFileName parse_wheel_file_name(std::string_view file_name) {
  WheelFileName result;
  if (const auto refusal = read(file_name, result)) {
    throw Error(ErrorKind::refused, fmt::format("{} is no name of a wheel: {}", printable(file_name), refusal->fault),
                refusal->hint);
  }
  return result;
}

std::optional<WheelNameTags> read_wheel_tags(std::string_view file_name) {
  if (!file_name.ends_with(".whl")) return std::nullopt;
  const std::vector<std::string_view> parts = split(file_name.substr(0, file_name.size() - 4), '-');
  if (parts.size() != 5 && parts.size() != 6) return std::nullopt;
  WheelNameTags result;
  if (parts.size() == 6) {
    result.build = parts[2];
    if (result.build.empty() || !is_digit(result.build[0])) return std::nullopt;
  }
  const std::size_t tag_start = static_cast<std::size_t>(parts[parts.size() - 3].data() - file_name.data());
  auto tags = expand_tags(file_name.substr(tag_start, file_name.size() - 4 - tag_start));
  if (!tags) return std::nullopt;
  result.tags = std::move(*tags);
  return result;
}

bool is_later_build(std::string_view left, std::string_view right) {
  if (left.empty() || right.empty()) return !left.empty();
  const auto take_number = [](std::string_view& text) {
    std::string_view digits = text.substr(0, std::min(text.find_first_not_of("0123456789"), text.size()));
    text.remove_prefix(digits.size());
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
    return digits;
  };
  const std::string_view left_number = take_number(left);
  const std::string_view right_number = take_number(right);
  if (left_number.size() != right_number.size()) return left_number.size() > right_number.size();
  return left_number != right_number ? left_number > right_number : left > right;
}

std::optional<std::vector<std::string>> expand_tags(std::string_view tags) {
  constexpr std::size_t most = 10'000;  // three lists multiply
  const std::vector<std::string_view> parts = split(tags, '-');
  if (parts.size() != 3) return std::nullopt;
  std::vector<std::string_view> sets[3];
  for (std::size_t i = 0; i < 3; ++i) {
    sets[i] = split(parts[i], '.');
    for (const std::string_view one : sets[i]) {
      if (one.empty() || (i == 0 && is_digit(one[0]))) return std::nullopt;
    }
  }
  if (sets[0].size() > most || sets[1].size() > most || sets[2].size() > most ||
      sets[0].size() * sets[1].size() * sets[2].size() > most) {
    return std::nullopt;
  }
  std::vector<std::string> result;
  for (const auto interpreter : sets[0]) {
    for (const auto abi : sets[1]) {
      for (const auto platform : sets[2]) {
        result.push_back(lower(fmt::format("{}-{}-{}", interpreter, abi, platform)));
      }
    }
  }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

std::optional<SdistFileName> parse_sdist_file_name(std::string_view file_name) {
  std::string_view stem = file_name;
  for (const std::string_view ending : {".tar.gz", ".zip"}) {
    if (stem.ends_with(ending)) stem.remove_suffix(ending.size());
  }
  const std::size_t dash = stem.rfind('-');
  if (stem.size() == file_name.size() || dash == std::string_view::npos) return std::nullopt;
  const std::string_view name = stem.substr(0, dash);
  const std::string_view version = stem.substr(dash + 1);
  if (!is_valid_name(name) || !Version::parse(version)) return std::nullopt;
  return SdistFileName{normalised_name(name), std::string(version)};
}

}  // namespace veneer::python
