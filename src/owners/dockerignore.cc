#include "owners/dockerignore.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <utility>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "foundation/utf8.hh"

namespace veneer::owners {

namespace {

constexpr std::size_t most_text = 1 << 20;
constexpr std::size_t most_patterns = 4096;
constexpr std::size_t longest_pattern = 4096;
constexpr char32_t not_utf8 = 0xFFFD;

/// As Go reads text: what is not UTF-8 is U+FFFD, a byte at a time.
std::u32string code_points(std::string_view text) {
  std::u32string result;
  while (!text.empty()) {
    const std::size_t length = utf8_sequence_length(text);
    if (length == 0) {
      result += not_utf8;
      text.remove_prefix(1);
      continue;
    }
    constexpr std::uint8_t masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    char32_t point = static_cast<std::uint8_t>(text[0]) & masks[length];
    for (std::size_t i = 1; i < length; ++i) point = (point << 6) | (static_cast<std::uint8_t>(text[i]) & 0x3F);
    result += point;
    text.remove_prefix(length);
  }
  return result;
}

/// Unicode's White_Space, which Go's TrimSpace takes away.
bool is_space(char32_t c) {
  return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

std::string_view without_space(std::string_view text) {
  const auto length_of_first = [](std::string_view rest) {
    return std::max<std::size_t>(utf8_sequence_length(rest), 1);
  };
  while (!text.empty() && is_space(code_points(text.substr(0, length_of_first(text)))[0])) {
    text.remove_prefix(length_of_first(text));
  }
  std::size_t end = 0;  // behind the last character that is no space
  for (std::size_t at = 0; at < text.size(); at += length_of_first(text.substr(at))) {
    const std::size_t length = length_of_first(text.substr(at));
    if (!is_space(code_points(text.substr(at, length))[0])) end = at + length;
  }
  return text.substr(0, end);
}

/// Without doubled slashes, "." parts, and ".." parts as far as they can be resolved; no slash at the end.
std::string clean(std::string_view pattern) {
  std::string path = std::filesystem::path(pattern).lexically_normal().native();
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path.empty() ? "." : path;
}

/// What is between brackets.
struct CharacterClass {
  bool is_negated = false;
  std::vector<std::pair<char32_t, char32_t>> ranges;

  bool has(char32_t c) const {
    const bool found = std::any_of(ranges.begin(), ranges.end(),
                                   [&](const auto& range) { return range.first <= c && c <= range.second; });
    return found != is_negated;
  }
};

/// One step of a pattern that is matched as a regular expression.
struct Step {
  enum class Kind {
    one,    // a character of `characters`
    many,   // any number of them
    maybe,  // this and the two steps behind it, or none of the three
    start,  // the start of the path ("^")
  };
  Kind kind = Kind::one;
  CharacterClass characters;
};

Step literal(char32_t c) { return {Step::Kind::one, {false, {{c, c}}}}; }
Step step_of(Step::Kind kind, CharacterClass characters) { return {kind, std::move(characters)}; }
CharacterClass no_slash() { return {true, {{U'/', U'/'}}}; }
CharacterClass no_line_end() { return {true, {{U'\n', U'\n'}}}; }

/// What "\d" and its like mean to Go's regular expressions, which read what stands behind a backslash.
std::optional<CharacterClass> named_class(char32_t c) {
  switch (c) {
    case 'd': return CharacterClass{false, {{'0', '9'}}};
    case 'D': return CharacterClass{true, {{'0', '9'}}};
    case 's': return CharacterClass{false, {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}}};
    case 'S': return CharacterClass{true, {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}}};
    case 'w': return CharacterClass{false, {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}};
    case 'W': return CharacterClass{true, {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}};
    default: return std::nullopt;
  }
}

bool is_letter_or_digit(char32_t c) {
  return c < 128 && (is_letter(static_cast<char>(c)) || is_digit(static_cast<char>(c)));
}

[[noreturn]] void refuse_pattern(std::string_view pattern, std::string_view fault) {
  throw Error(ErrorKind::refused, fmt::format("the pattern \"{}\" is malformed: {}", printable(pattern), fault),
              "Docker refuses it, too");
}

}  // namespace

/// Compiled as Docker does it: most patterns are compared as text, those with "*", "?", "[" or "\" step by step.
struct IgnorePattern {
  enum class Kind { exact, prefix, suffix, steps };

  Kind kind = Kind::exact;
  bool is_exception = false;  // "!": what fits is taken after all
  std::string text;           // without the "!"; of a prefix or suffix without its "**"
  std::vector<Step> steps;

  bool fits(std::string_view path) const {
    switch (kind) {
      case Kind::exact: return path == text;
      case Kind::prefix: return path.starts_with(text);
      case Kind::suffix: return path.ends_with(text) || (text.starts_with('/') && path == text.substr(1));
      case Kind::steps: return fits_steps(code_points(path));
    }
    return false;
  }

 private:
  /// All ways through the steps at once, so that no pattern takes long.
  bool fits_steps(const std::u32string& path) const {
    std::vector<char> now(steps.size() + 1);
    std::vector<char> next(steps.size() + 1);
    const auto reach = [&](std::vector<char>& places, std::size_t from, bool is_start) {
      for (std::vector<std::size_t> open{from}; !open.empty();) {
        const std::size_t at = open.back();
        open.pop_back();
        if (places[at]) continue;
        places[at] = 1;
        if (at == steps.size()) continue;
        const Step::Kind step = steps[at].kind;
        if (step == Step::Kind::many || step == Step::Kind::maybe) open.push_back(at + 1);
        if (step == Step::Kind::maybe) open.push_back(at + 3);
        if (step == Step::Kind::start && is_start) open.push_back(at + 1);
      }
    };
    reach(now, 0, true);
    for (const char32_t c : path) {
      std::fill(next.begin(), next.end(), 0);
      for (std::size_t at = 0; at < steps.size(); ++at) {
        const Step& step = steps[at];
        if (!now[at] || step.kind == Step::Kind::maybe || step.kind == Step::Kind::start) continue;
        if (step.characters.has(c)) reach(next, step.kind == Step::Kind::many ? at : at + 1, false);
      }
      std::swap(now, next);
    }
    return now[steps.size()] != 0;
  }
};

namespace {

/// Reads one pattern twice, as Docker does: first as a shell pattern, which decides what is malformed, then into what
/// is matched.
class Compiler {
 public:
  explicit Compiler(std::string_view text) : text_(text), rest_(code_points(text)) {}

  IgnorePattern compile() {
    check();
    IgnorePattern pattern;
    pattern.text = text_;
    for (std::size_t count = 0; at_ < rest_.size(); ++count) read_one(pattern, count);
    if (pattern.kind == IgnorePattern::Kind::prefix) pattern.text.resize(pattern.text.size() - 2);
    if (pattern.kind == IgnorePattern::Kind::suffix) pattern.text.erase(0, 2);
    pattern.steps = std::move(steps_);
    return pattern;
  }

 private:
  /// The grammar of Go's filepath.Match.
  void check() const {
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      if (rest_[i] == '\\') {
        if (++i == rest_.size()) refuse_pattern(text_, "nothing follows the backslash at its end");
      } else if (rest_[i] == '[') {
        i = end_of_class(i + 1);
      }
    }
  }

  std::size_t end_of_class(std::size_t i) const {
    if (i < rest_.size() && rest_[i] == '^') ++i;
    for (std::size_t count = 0;; ++count) {
      if (i < rest_.size() && rest_[i] == ']' && count > 0) return i;
      const char32_t low = class_character(i);
      if (i < rest_.size() && rest_[i] == '-') {
        ++i;
        if (class_character(i) < low) refuse_pattern(text_, "a range in brackets runs backwards");
      }
    }
  }

  char32_t class_character(std::size_t& i) const {
    if (i == rest_.size() || rest_[i] == '-' || rest_[i] == ']') refuse_pattern(text_, "what is in brackets");
    if (rest_[i] == '\\' && ++i == rest_.size()) refuse_pattern(text_, "what is in brackets");
    const char32_t c = rest_[i++];
    if (i == rest_.size()) refuse_pattern(text_, "a bracket is not closed");
    return c;
  }

  bool next_is(char32_t c) const { return at_ < rest_.size() && rest_[at_] == c; }

  char32_t take() {
    if (at_ == rest_.size()) refuse_pattern(text_, "a bracket is not closed");
    return rest_[at_++];
  }

  void read_one(IgnorePattern& pattern, std::size_t count) {
    using Kind = IgnorePattern::Kind;
    const char32_t c = rest_[at_++];
    if (c == '*' && next_is('*')) {
      ++at_;
      if (next_is('/')) ++at_;
      if (at_ < rest_.size()) {
        steps_.push_back(step_of(Step::Kind::maybe, {}));
        steps_.push_back(step_of(Step::Kind::many, no_line_end()));
        steps_.push_back(literal('/'));
        pattern.kind = Kind::steps;
      } else if (pattern.kind == Kind::exact) {
        pattern.kind = Kind::prefix;
      } else {
        steps_.push_back(step_of(Step::Kind::many, no_line_end()));
        pattern.kind = Kind::steps;
      }
      if (count == 0) pattern.kind = Kind::suffix;
    } else if (c == '*' || c == '?') {
      steps_.push_back(step_of(c == '*' ? Step::Kind::many : Step::Kind::one, no_slash()));
      pattern.kind = Kind::steps;
    } else if (c == '\\') {
      const char32_t escaped = take();
      const auto named = named_class(escaped);
      if (!named && is_letter_or_digit(escaped)) refuse_pattern(text_, "a letter or digit behind a backslash");
      steps_.push_back(named ? step_of(Step::Kind::one, *named) : literal(escaped));
      pattern.kind = Kind::steps;
    } else if (c == '[') {
      read_class();
      pattern.kind = Kind::steps;
    } else {
      steps_.push_back(c == '^' ? step_of(Step::Kind::start, {}) : literal(c));
      if (c == ']') pattern.kind = Kind::steps;
    }
  }

  /// check() has found it well-formed. A "*" or "?" in brackets stands for the class that it is elsewhere, by which the
  /// brackets end early: "[*]" is one of "[^/", any number of times, and a "]".
  void read_class() {
    CharacterClass result;
    if (next_is('^')) {
      result.is_negated = true;
      ++at_;
    }
    while (!next_is(']')) {
      char32_t low = take();
      if (low == '*' || low == '?') {
        for (const char32_t each : {U'[', U'^', U'/'}) result.ranges.emplace_back(each, each);
        steps_.push_back(step_of(low == '*' ? Step::Kind::many : Step::Kind::one, std::move(result)));
        return;  // the rest is read as what follows a class
      }
      if (low == '\\') {
        low = take();
        if (const auto named = named_class(low); named && !named->is_negated) {
          result.ranges.insert(result.ranges.end(), named->ranges.begin(), named->ranges.end());
          continue;
        }
        if (is_letter_or_digit(low)) refuse_pattern(text_, "a letter or digit behind a backslash");
      }
      char32_t high = low;
      if (next_is('-')) {
        ++at_;
        if (next_is('\\')) ++at_;
        high = take();
      }
      result.ranges.emplace_back(low, high);
    }
    ++at_;
    steps_.push_back(step_of(Step::Kind::one, std::move(result)));
  }

  std::string_view text_;
  std::u32string rest_;
  std::size_t at_ = 0;
  std::vector<Step> steps_;
};

}  // namespace

DockerIgnore::DockerIgnore() = default;

void DockerIgnore::add(std::string_view pattern) {
  if (pattern.size() > longest_pattern) refuse_pattern(pattern.substr(0, 40), "it is longer than 4096 bytes");
  if (patterns_.size() == most_patterns) {
    throw Error(ErrorKind::refused, fmt::format("it has more than {} patterns", most_patterns));
  }
  std::string text = clean(pattern);
  const bool is_exception = text[0] == '!';
  if (is_exception) text.erase(0, 1);
  if (text.empty()) refuse_pattern(pattern, "nothing follows the \"!\"");
  auto compiled = std::make_shared<IgnorePattern>(Compiler(text).compile());
  compiled->is_exception = is_exception;
  patterns_.push_back(std::move(compiled));
}

DockerIgnore DockerIgnore::parse(std::string_view text) {
  if (text.size() > most_text) throw Error(ErrorKind::refused, "it has more than 1 MiB");
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  DockerIgnore result;
  std::size_t number = 0;
  for (const std::string& line : split_fields(text, '\n')) {
    ++number;
    if (line.starts_with('#')) continue;
    std::string_view pattern = without_space(line);
    if (pattern.empty()) continue;
    std::string cleaned;
    const bool is_exception = pattern[0] == '!';
    if (is_exception) pattern = without_space(pattern.substr(1));
    if (!pattern.empty()) {
      cleaned = clean(pattern);
      if (cleaned.size() > 1 && cleaned[0] == '/') cleaned.erase(0, 1);
    }
    in_context([&] { return fmt::format("line {}", number); },
               [&] { result.add(is_exception ? "!" + cleaned : cleaned); });
  }
  return result;
}

DockerIgnore DockerIgnore::of_patterns(const std::vector<std::string>& patterns) {
  DockerIgnore result;
  for (const std::string& pattern : patterns) {
    const std::string_view text = without_space(pattern);
    if (!text.empty()) result.add(text);
  }
  return result;
}

bool DockerIgnore::excludes(std::string_view path) const {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  bool is_excluded = false;
  for (const auto& pattern : patterns_) {
    if (pattern->is_exception != is_excluded) continue;
    bool fits = pattern->fits(path);
    for (std::size_t slash = path.find('/'); !fits && slash != std::string_view::npos;
         slash = path.find('/', slash + 1)) {
      fits = pattern->fits(path.substr(0, slash));
    }
    if (fits) is_excluded = !pattern->is_exception;
  }
  return is_excluded;
}

}  // namespace veneer::owners
