#include "owners/expand.hh"

#include <fmt/format.h>

#include "foundation/error.hh"
#include "foundation/text.hh"

namespace veneer::owners {

namespace {

constexpr std::size_t longest_value = 64 << 10;
constexpr int deepest_default = 16;

bool is_ifs(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f'; }
bool is_name(char c) { return is_letter(c) || is_digit(c) || c == '_'; }

class Expander {
 public:
  Expander(std::string_view text, char escape, const Lookup& lookup, int depth)
      : text_(text), escape_(escape), lookup_(lookup), depth_(depth) {}

  Expanded one() {
    while (!at_end()) take();
    return std::move(result_);
  }

  std::vector<Expanded> words() {
    std::vector<Expanded> all;
    for (;;) {
      while (!at_end() && is_ifs(text_[at_])) ++at_;
      if (at_end()) return all;
      while (!at_end() && !is_ifs(text_[at_])) take();
      all.push_back(std::move(result_));
      result_ = {};
    }
  }

 private:
  bool at_end() const { return at_ == text_.size(); }

  void put(std::string_view text) {
    if (result_.text.size() + text.size() > longest_value) throw Error(ErrorKind::refused, "a value grows too long");
    result_.text += text;
  }

  void take() {
    const char c = text_[at_];
    if (c == '\'') return single_quoted();
    if (c == '"') return double_quoted();
    if (c == '$') return variable();
    if (c == escape_) {
      ++at_;
      if (!at_end()) put(text_.substr(at_++, 1));
      return;
    }
    put(text_.substr(at_++, 1));
  }

  void single_quoted() {
    const std::size_t end = text_.find('\'', at_ + 1);
    if (end == std::string_view::npos) throw Error(ErrorKind::refused, "a single quote is not closed");
    put(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
  }

  void double_quoted() {
    for (++at_; !at_end() && text_[at_] != '"';) {
      const char c = text_[at_];
      if (c == '$') {
        variable();
      } else if (c == escape_ && at_ + 1 < text_.size()) {
        const char next = text_[at_ + 1];
        const bool goes = next == '"' || next == '$' || next == escape_;
        put(text_.substr(goes ? at_ + 1 : at_, goes ? 1 : 2));
        at_ += 2;
      } else {
        put(text_.substr(at_++, 1));
      }
    }
    if (at_end()) throw Error(ErrorKind::refused, "a double quote is not closed");
    ++at_;
  }

  std::string name() {
    const std::size_t start = at_;
    while (!at_end() && is_name(text_[at_])) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  void variable() {
    ++at_;
    if (at_end()) return put("$");
    if (text_[at_] == '{') return braced();
    const std::string called = name();
    if (called.empty()) return put("$");
    replace(called, lookup_(called));
  }

  void replace(const std::string& called, const std::optional<std::string>& value) {
    if (value) return put(*value);
    result_.unset.push_back(called);
  }

  void braced() {
    ++at_;
    const std::string called = name();
    if (called.empty()) throw Error(ErrorKind::refused, "a variable between braces has no name");
    const std::string_view rest = to_brace();
    const std::optional<std::string> value = lookup_(called);
    if (rest.empty()) return replace(called, value);
    const bool counts_empty = rest[0] == ':';
    const std::string_view word = rest.substr(counts_empty ? 2 : 1);
    const bool is_set = value && !(counts_empty && value->empty());
    switch (rest[counts_empty ? 1 : 0]) {
      case '-': return is_set ? put(*value) : put_word(word);
      case '+': return is_set ? put_word(word) : void();
      case '?': return replace(called, is_set ? value : std::nullopt);
      default:
        throw Error(ErrorKind::refused, fmt::format("${{{}{}}} is a form that is not read", called, printable(rest)));
    }
  }

  /// What stands between here and the brace that closes this one.
  std::string_view to_brace() {
    const std::size_t start = at_;
    int open = 1;
    char quote = 0;
    for (; !at_end(); ++at_) {
      const char c = text_[at_];
      if (c == escape_ && quote != '\'' && at_ + 1 < text_.size()) {
        ++at_;
      } else if (quote != 0) {
        if (c == quote) quote = 0;
      } else if (c == '\'' || c == '"') {
        quote = c;
      } else if (c == '{' && text_[at_ - 1] == '$') {
        ++open;
      } else if (c == '}' && --open == 0) {
        const std::string_view inside = text_.substr(start, at_++ - start);
        if (inside == ":") break;
        return inside;
      }
    }
    throw Error(ErrorKind::refused, "a brace is not closed");
  }

  void put_word(std::string_view word) {
    if (depth_ == deepest_default) throw Error(ErrorKind::refused, "defaults of variables are nested too deeply");
    Expanded inner = Expander(word, escape_, lookup_, depth_ + 1).one();
    put(inner.text);
    for (std::string& called : inner.unset) result_.unset.push_back(std::move(called));
  }

  std::string_view text_;
  char escape_;
  const Lookup& lookup_;
  int depth_;
  std::size_t at_ = 0;
  Expanded result_;
};

}  // namespace

Expanded expand_word(std::string_view text, char escape, const Lookup& lookup) {
  return Expander(text, escape, lookup, 0).one();
}

std::vector<Expanded> expand_words(std::string_view text, char escape, const Lookup& lookup) {
  return Expander(text, escape, lookup, 0).words();
}

std::vector<std::string> raw_words(std::string_view text, char escape) {
  std::vector<std::string> words;
  std::string word;
  char quote = 0;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && is_ifs(c)) {
      end_word();
      continue;
    }
    word += c;
    if (c == escape && quote != '\'' && i + 1 < text.size()) {
      word += text[++i];
    } else if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    }
  }
  end_word();
  return words;
}

}  // namespace veneer::owners
