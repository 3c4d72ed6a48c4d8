#include "python/version.hh"

#include <algorithm>
#include <charconv>
#include <initializer_list>

#include "foundation/text.hh"

namespace veneer::python {

namespace {

bool is_version_separator(char c) { return c == '.' || c == '-' || c == '_'; }
/// Reads a version, already in lower case and without space around it, from left to right.
class VersionReader {
 public:
  explicit VersionReader(std::string_view text) : text_(text) {}

  std::optional<Version> read() {
    if (text_.starts_with('v')) text_.remove_prefix(1);
    if (!read_epoch_and_release()) return std::nullopt;
    read_stage();
    read_post();
    version_.dev = suffix({"dev"});
    if (!read_local() || is_broken_) return std::nullopt;
    return std::move(version_);
  }

 private:
  /// A run of digits; nothing when there is none.
  std::optional<std::uint64_t> number() {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (text_.empty() || !is_digit(text_[0])) return std::nullopt;
    if (error != std::errc()) is_broken_ = true;
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return value;
  }

  bool read_epoch_and_release() {
    auto first = number();
    if (!first) return false;
    if (text_.starts_with('!')) {
      version_.epoch = *first;
      text_.remove_prefix(1);
      first = number();
      if (!first) return false;
    }
    version_.release.push_back(*first);
    while (text_.size() > 1 && text_[0] == '.' && is_digit(text_[1])) {
      text_.remove_prefix(1);
      version_.release.push_back(*number());
    }
    return true;
  }

  /// [separator] word [separator] [number]: the number, 0 when the word stands alone, nothing when there is no word.
  std::optional<std::uint64_t> suffix(std::initializer_list<std::string_view> words) {
    std::string_view rest = text_;
    if (!rest.empty() && is_version_separator(rest[0])) rest.remove_prefix(1);
    for (const std::string_view word : words) {
      if (!rest.starts_with(word)) continue;
      text_ = rest.substr(word.size());
      if (text_.size() > 1 && is_version_separator(text_[0]) && is_digit(text_[1])) text_.remove_prefix(1);
      return number().value_or(0);
    }
    return std::nullopt;
  }

  void read_stage() {
    if (const auto alpha = suffix({"alpha", "a"})) {
      version_.pre = {Version::Stage::alpha, *alpha};
    } else if (const auto beta = suffix({"beta", "b"})) {
      version_.pre = {Version::Stage::beta, *beta};
    } else if (const auto candidate = suffix({"preview", "pre", "rc", "c"})) {
      version_.pre = {Version::Stage::candidate, *candidate};
    }
  }

  void read_post() {
    if (text_.size() > 1 && text_[0] == '-' && is_digit(text_[1])) {
      text_.remove_prefix(1);
      version_.post = number();
    } else {
      version_.post = suffix({"post", "rev", "r"});
    }
  }

  bool read_local() {
    if (text_.empty()) return true;
    if (text_[0] != '+') return false;
    text_.remove_prefix(1);
    for (;;) {
      const auto end = std::find_if_not(text_.begin(), text_.end(), [](char c) { return is_digit(c) || is_lower(c); });
      const std::string_view part(text_.data(), static_cast<std::size_t>(end - text_.begin()));
      if (part.empty()) return false;
      text_.remove_prefix(part.size());
      Version::LocalSegment segment;
      segment.is_number = std::all_of(part.begin(), part.end(), is_digit);
      segment.text = part;
      if (segment.is_number) segment.text.erase(0, std::min(part.find_first_not_of('0'), part.size() - 1));
      version_.local.push_back(std::move(segment));
      if (text_.empty()) return true;
      if (!is_version_separator(text_[0])) return false;
      text_.remove_prefix(1);
    }
  }

  std::string_view text_;
  Version version_;
  bool is_broken_ = false;
};

std::strong_ordering compare_releases(const Version& left, const Version& right) {
  const std::size_t size = std::max(left.release.size(), right.release.size());
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint64_t a = i < left.release.size() ? left.release[i] : 0;
    const std::uint64_t b = i < right.release.size() ? right.release[i] : 0;
    if (const auto order = a <=> b; order != 0) return order;
  }
  return std::strong_ordering::equal;
}

/// Where a version stands among those of its release: 1.0.dev0 < 1.0a0 < 1.0b0 < 1.0rc0 < 1.0.
int stage_rank(const Version& version) {
  if (version.pre) return 1 + static_cast<int>(version.pre->first);
  return version.dev && !version.post ? 0 : 4;
}

std::strong_ordering compare_local(const Version& left, const Version& right) {
  const std::size_t size = std::min(left.local.size(), right.local.size());
  for (std::size_t i = 0; i < size; ++i) {
    const auto& a = left.local[i];
    const auto& b = right.local[i];
    if (const auto order = a.is_number <=> b.is_number; order != 0) return order;
    if (a.is_number) {
      if (const auto order = a.text.size() <=> b.text.size(); order != 0) return order;
    }
    if (const auto order = a.text <=> b.text; order != 0) return order;
  }
  return left.local.size() <=> right.local.size();
}

}  // namespace

std::optional<Version> Version::parse(std::string_view text) {
  constexpr std::string_view space = " \t\n\r\f\v";
  const std::size_t first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return std::nullopt;
  const std::string lowered = lower(text.substr(first, text.find_last_not_of(space) - first + 1));
  return VersionReader(lowered).read();
}

Version Version::without_local() const {
  Version result = *this;
  result.local.clear();
  return result;
}

std::string Version::text() const {
  std::string result;
  if (epoch != 0) result = std::to_string(epoch) + "!";
  for (std::size_t i = 0; i < release.size(); ++i) result += (i == 0 ? "" : ".") + std::to_string(release[i]);
  if (pre) {
    constexpr std::string_view names[] = {"a", "b", "rc"};
    result += names[static_cast<int>(pre->first)];
    result += std::to_string(pre->second);
  }
  if (post) result += ".post" + std::to_string(*post);
  if (dev) result += ".dev" + std::to_string(*dev);
  for (std::size_t i = 0; i < local.size(); ++i) result += (i == 0 ? "+" : ".") + local[i].text;
  return result;
}

std::strong_ordering operator<=>(const Version& left, const Version& right) {
  if (const auto order = left.epoch <=> right.epoch; order != 0) return order;
  if (const auto order = compare_releases(left, right); order != 0) return order;
  if (const auto order = stage_rank(left) <=> stage_rank(right); order != 0) return order;
  if (left.pre) {
    if (const auto order = left.pre->second <=> right.pre->second; order != 0) return order;
  }
  if (const auto order = left.post <=> right.post; order != 0) return order;  // none comes first
  if (left.dev.has_value() != right.dev.has_value()) {
    return left.dev ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  if (const auto order = left.dev <=> right.dev; order != 0) return order;
  return compare_local(left, right);
}

bool same_version(std::string_view left, std::string_view right) {
  const auto first = Version::parse(left);
  const auto second = Version::parse(right);
  if (first && second && *first == *second) return true;
  // "1.0_1" may be the escaped form of 1.0+1 or of 1.0-1: then all that separates is alike.
  if ((left.find('_') == std::string_view::npos) == (right.find('_') == std::string_view::npos)) return false;
  const auto escaped = [](std::string_view version) {
    std::string text(version);
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
      c = lower(c);
      return is_digit(c) || is_lower(c) || c == '.' ? c : '_';
    });
    return text;
  };
  return (first || second) && escaped(left) == escaped(right);
}

}  // namespace veneer::python
