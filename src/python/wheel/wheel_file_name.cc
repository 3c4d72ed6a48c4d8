#include "python/wheel/wheel_file_name.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"

namespace veneer::python {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(separator, start), text.size());
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

/// Reads a PEP 440 version from left to right.
class VersionReader {
 public:
  explicit VersionReader(std::string_view text) : text_(text) {}

  std::optional<std::string> read() {
    take("v");
    std::string result;
    if (!read_epoch_and_release(result)) return std::nullopt;
    read_suffix(result, {{"alpha", "a"},
                         {"beta", "b"},
                         {"preview", "rc"},
                         {"pre", "rc"},
                         {"rc", "rc"},
                         {"a", "a"},
                         {"b", "b"},
                         {"c", "rc"}});
    if (text_.size() > 1 && (text_[0] == '-' || text_[0] == '_') && is_digit(text_[1])) {
      text_.remove_prefix(1);
      result += ".post" + number();
    } else {
      read_suffix(result, {{"post", ".post"}, {"rev", ".post"}, {"r", ".post"}});
    }
    read_suffix(result, {{"dev", ".dev"}});
    if (!read_local(result)) return std::nullopt;
    return result;
  }

 private:
  struct Word {
    std::string_view written;
    std::string_view normal;
  };

  bool take(std::string_view word) {
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  /// Digits without leading zeros; "0" when there are none.
  std::string number() {
    const std::size_t end = std::min(text_.find_first_not_of("0123456789"), text_.size());
    std::string_view digits = text_.substr(0, end);
    text_.remove_prefix(end);
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
    return digits.empty() ? "0" : std::string(digits);
  }

  bool read_epoch_and_release(std::string& result) {
    if (text_.empty() || !is_digit(text_[0])) return false;
    std::string first = number();
    if (text_.size() > 1 && text_[0] == '!' && is_digit(text_[1])) {
      text_.remove_prefix(1);
      if (first != "0") result = first + "!";
      first = number();
    }
    std::string release = first;
    std::size_t significant = release.size();
    while (text_.size() > 1 && text_[0] == '.' && is_digit(text_[1])) {
      text_.remove_prefix(1);
      const std::string part = number();
      release += "." + part;
      if (part != "0") significant = release.size();
    }
    result += release.substr(0, significant);
    return true;
  }

  /// [separator] word [separator] [number]; absence is fine.
  void read_suffix(std::string& result, std::initializer_list<Word> words) {
    std::string_view rest = text_;
    const auto separator = [](char c) { return c == '.' || c == '-' || c == '_'; };
    if (!rest.empty() && separator(rest[0])) rest.remove_prefix(1);
    for (const Word& word : words) {
      if (!rest.starts_with(word.written)) continue;
      rest.remove_prefix(word.written.size());
      if (rest.size() > 1 && separator(rest[0]) && is_digit(rest[1])) rest.remove_prefix(1);
      // "1.0_abc" is an escaped local version, "1.0adev1" an alpha.
      if (!rest.empty() && is_letter(rest[0]) && !rest.starts_with("dev") && !rest.starts_with("post")) return;
      text_ = rest;
      result += word.normal;
      result += number();
      return;
    }
  }

  bool read_local(std::string& result) {
    if (text_.empty()) return true;
    if (text_[0] != '+' && text_[0] != '_') return false;
    text_.remove_prefix(1);
    result += '+';
    while (true) {
      const auto end = std::find_if_not(text_.begin(), text_.end(), [](char c) { return is_digit(c) || is_letter(c); });
      const std::string_view part(text_.data(), static_cast<std::size_t>(end - text_.begin()));
      if (part.empty()) return false;
      if (std::all_of(part.begin(), part.end(), is_digit)) {
        result += number();
      } else {
        result += part;
        text_.remove_prefix(part.size());
      }
      if (text_.empty()) return true;
      if (text_[0] != '.' && text_[0] != '-' && text_[0] != '_') return false;
      text_.remove_prefix(1);
      result += '.';
    }
  }

  std::string_view text_;
};

}  // namespace

WheelFileName parse_wheel_file_name(std::string_view file_name) {
  const auto refuse = [&](std::string_view fault) {
    throw Error(ErrorKind::refused, fmt::format("{} is no name of a wheel: {}", printable(file_name), fault));
  };
  if (!file_name.ends_with(".whl")) refuse("it does not end with .whl");
  if (file_name.find('/') != std::string_view::npos) refuse("it holds a slash");
  const std::vector<std::string_view> parts = split(file_name.substr(0, file_name.size() - 4), '-');
  const bool third_is_build = parts.size() > 2 && !parts[2].empty() && is_digit(parts[2][0]);
  if (parts.size() == 7 || (parts.size() == 6 && !third_is_build)) {
    throw Error(ErrorKind::refused,
                fmt::format("{} is a variant wheel (PEP 817, label \"{}\"), which veneer does not support",
                            printable(file_name), printable(parts.back())),
                "lock a plain wheel of this distribution");
  }
  if (parts.size() != 5 && parts.size() != 6) refuse("it has not five or six parts between dashes");
  WheelFileName result;
  result.name = parts[0];
  result.version = parts[1];
  if (parts.size() == 6) result.build = parts[2];
  const auto allowed = [](char c) { return is_digit(c) || is_letter(c) || c == '.' || c == '_'; };
  const bool edges = !parts[0].empty() && (is_digit(parts[0].front()) || is_letter(parts[0].front())) &&
                     (is_digit(parts[0].back()) || is_letter(parts[0].back()));
  if (!edges || !std::all_of(parts[0].begin(), parts[0].end(), allowed))
    refuse("its first part is no distribution's name");
  if (!comparable_version(parts[1])) refuse("its second part is no version as PEP 440 has them");
  const std::size_t tag_start = static_cast<std::size_t>(parts[parts.size() - 3].data() - file_name.data());
  const auto tags = expand_tags(file_name.substr(tag_start, file_name.size() - 4 - tag_start));
  if (!tags) refuse("its last three parts are no compatibility tags");
  result.tags = *tags;
  return result;
}

std::optional<std::vector<std::string>> expand_tags(std::string_view tags) {
  constexpr std::size_t most = 10'000;  // three lists multiply
  const std::vector<std::string_view> parts = split(tags, '-');
  if (parts.size() != 3) return std::nullopt;
  std::vector<std::string_view> sets[3];
  for (std::size_t i = 0; i < 3; ++i) {
    sets[i] = split(parts[i], '.');
    for (const std::string_view one : sets[i]) {
      if (one.empty()) return std::nullopt;
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
        std::string tag = fmt::format("{}-{}-{}", interpreter, abi, platform);
        std::transform(tag.begin(), tag.end(), tag.begin(), lower);
        result.push_back(std::move(tag));
      }
    }
  }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

std::string normalized_name(std::string_view name) {
  std::string result;
  for (const char c : name) {
    const bool separator = c == '-' || c == '_' || c == '.';
    if (separator && result.ends_with('-')) continue;
    result += separator ? '-' : lower(c);
  }
  return result;
}

std::optional<std::string> comparable_version(std::string_view version) {
  const std::size_t first = version.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return std::nullopt;
  std::string text(version.substr(first, version.find_last_not_of(" \t\r\n") - first + 1));
  std::transform(text.begin(), text.end(), text.begin(), lower);
  return VersionReader(text).read();
}

bool same_version(std::string_view left, std::string_view right) {
  const auto first = comparable_version(left);
  const auto second = comparable_version(right);
  if (!first || !second) return false;
  // An escaped version may read as another one: "1.0_1" is 1.0+1 or 1.0-1.
  const auto escaped = [](std::string_view version) {
    std::string text(version);
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return is_digit(c) || is_letter(c) || c == '.' ? lower(c) : '_'; });
    return text;
  };
  return first == second || (left.find('_') != right.find('_') && escaped(left) == escaped(right));
}

}  // namespace veneer::python
