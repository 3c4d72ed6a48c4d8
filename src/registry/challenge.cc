#include "registry/challenge.hh"

#include <algorithm>
#include <optional>

#include "foundation/text.hh"

namespace veneer::registry {

namespace {

constexpr std::size_t most_challenges = 16;

bool is_token_character(char c) {
  return is_letter(c) || is_digit(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_space(char c) { return c == ' ' || c == '\t'; }

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  std::vector<Challenge> read() {
    std::vector<Challenge> challenges;
    for (;;) {
      skip_commas();
      std::string word = token();
      if (word.empty()) return challenges;
      const bool has_space = skip_spaces();
      if (!challenges.empty() && take('=')) {  // "name=value" of the challenge before
        skip_spaces();
        const auto text = value();
        if (!text) return challenges;
        challenges.back().parameters.emplace(lower(std::move(word)), *text);
        continue;
      }
      if (challenges.size() == most_challenges) return challenges;
      challenges.push_back({lower(std::move(word)), {}});
      if (has_space) skip_token68();
    }
  }

 private:
  bool skip_spaces() {
    const std::size_t before = rest_.size();
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
    return rest_.size() != before;
  }

  void skip_commas() {
    while (!rest_.empty() && (is_space(rest_.front()) || rest_.front() == ',')) rest_.remove_prefix(1);
  }

  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string token() {
    const auto end = std::ranges::find_if_not(rest_, is_token_character);
    std::string text(rest_.begin(), end);
    rest_.remove_prefix(text.size());
    return text;
  }

  std::optional<std::string> value() {
    if (!take('"')) {
      std::string text = token();
      if (text.empty()) return std::nullopt;
      return text;
    }
    std::string text;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return text;
      if (c == '\\' && !rest_.empty()) {
        c = rest_.front();
        rest_.remove_prefix(1);
      }
      text.push_back(c);
    }
    return std::nullopt;
  }

  /// "Negotiate a87421000492aa874209af8bc028==": one word instead of parameters.
  void skip_token68() {
    std::size_t end = 0;
    while (end < rest_.size() && (is_token_character(rest_[end]) || rest_[end] == '/')) ++end;
    std::size_t padding = end;
    while (padding < rest_.size() && rest_[padding] == '=') ++padding;
    std::size_t after = padding;
    while (after < rest_.size() && is_space(rest_[after])) ++after;
    if (end > 0 && (after == rest_.size() || rest_[after] == ',')) rest_.remove_prefix(after);
  }

  std::string_view rest_;
};

}  // namespace

const std::string& Challenge::parameter(const std::string& name) const {
  static const std::string none;
  const auto found = parameters.find(name);
  return found == parameters.end() ? none : found->second;
}

std::vector<Challenge> read_challenges(std::string_view header) { return Reader(header).read(); }

}  // namespace veneer::registry
