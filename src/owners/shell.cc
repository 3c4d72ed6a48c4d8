#include "owners/shell.hh"

#include <algorithm>
#include <array>
#include <optional>

#include "foundation/error.hh"
#include "foundation/shell_word.hh"
#include "foundation/text.hh"

namespace veneer::owners {

namespace {

constexpr std::size_t most_words = 10000;

bool is_shell_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

bool ends_word(char c) {
  return is_shell_blank(c) || c == '\n' || c == ';' || c == '&' || c == '|' || c == '(' || c == ')' || c == '<' ||
         c == '>';
}

bool is_structure(std::string_view word) {
  constexpr std::array<std::string_view, 17> reserved = {"if",   "then", "else", "elif",  "fi",      "do",
                                                         "done", "case", "esac", "while", "until",   "for",
                                                         "in",   "{",    "}",    "!",     "function"};
  return std::find(reserved.begin(), reserved.end(), word) != reserved.end();
}

bool is_assignment(std::string_view raw) {
  const std::size_t equals = raw.find('=');
  if (equals == 0 || equals == std::string_view::npos || is_digit(raw[0])) return false;
  return std::all_of(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(equals),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

class ScriptReader {
 public:
  explicit ScriptReader(std::string_view text) : text_(text) {}

  ShellScript read() {
    while (skip_blanks()) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '<' || c == '>') {
        redirection();
      } else if (ends_word(c)) {
        operation();
      } else {
        word();
      }
    }
    end_command("", text_.size());
    return std::move(script_);
  }

 private:
  bool skip_blanks() {
    while (at_ < text_.size()) {
      if (is_shell_blank(text_[at_])) {
        ++at_;
      } else if (text_.substr(at_).starts_with("\\\n")) {
        at_ += 2;
        ++line_;
      } else {
        return true;
      }
    }
    return false;
  }

  void end_command(std::string_view end, std::size_t at) {
    if (!command_.words.empty() || !command_.assignments.empty()) {
      command_.raw = trimmed(text_.substr(start_, at - start_));
      command_.end = end;
      script_.commands.push_back(std::move(command_));
    }
    command_ = {};
    is_empty_ = true;
  }

  void begin() {
    if (is_empty_) start_ = at_;
    is_empty_ = false;
  }

  void operation() {
    const std::size_t at = at_;
    const std::string_view rest = text_.substr(at_);
    const std::size_t size = rest.starts_with("&&") || rest.starts_with("||") ? 2 : 1;
    const std::string_view end = rest[0] == '\n' ? ";" : rest.substr(0, size);
    if (end == "(" || end == ")" || rest.starts_with(";;")) script_.has_structure = true;
    at_ += size;
    end_command(end, at);
    if (rest[0] == '\n') {
      ++line_;
      skip_documents();
    }
  }

  void redirection() {
    begin();
    command_.has_redirection = true;
    const std::string_view rest = text_.substr(at_);
    const bool is_document = rest.starts_with("<<") && !rest.starts_with("<<<");
    const bool strips = rest.starts_with("<<-");
    while (at_ < text_.size() && (text_[at_] == '<' || text_[at_] == '>' || text_[at_] == '&' || text_[at_] == '|')) {
      ++at_;
    }
    if (strips) ++at_;
    if (!skip_blanks() || ends_word(text_[at_])) return;
    const ShellWord target = read_word();
    if (is_document) documents_.push_back({target.text, strips});
  }

  /// Here-documents begin at the line after their operator.
  void skip_documents() {
    for (const Document& document : documents_) {
      while (at_ < text_.size()) {
        const std::size_t end = std::min(text_.find('\n', at_), text_.size());
        std::string_view line = text_.substr(at_, end - at_);
        at_ = std::min(end + 1, text_.size());
        ++line_;
        while (document.strips && line.starts_with('\t')) line.remove_prefix(1);
        if (line == document.end) break;
      }
    }
    documents_.clear();
  }

  void word() {
    begin();
    // "2>file": the number belongs to the redirection.
    std::size_t digits = at_;
    while (digits < text_.size() && is_digit(text_[digits])) ++digits;
    if (digits > at_ && digits < text_.size() && (text_[digits] == '<' || text_[digits] == '>')) {
      at_ = digits;
      return redirection();
    }
    ShellWord word = read_word();
    if (++count_ > most_words) throw Error(ErrorKind::refused, "the shell text has too many words");
    if (command_.words.empty()) {
      if (is_assignment(word.raw)) {
        command_.assignments.push_back(std::move(word));
        return;
      }
      if (is_structure(word.raw)) {
        script_.has_structure = true;
        is_empty_ = command_.assignments.empty();
        return;
      }
    }
    command_.words.push_back(std::move(word));
  }

  ShellWord read_word() {
    ShellWord word;
    word.line = line_;
    const std::size_t start = at_;
    while (at_ < text_.size() && !ends_word(text_[at_])) {
      const char c = text_[at_];
      if (c == '\\') {
        escaped(word);
      } else if (c == '\'') {
        const std::size_t end = find('\'', at_ + 1);
        word.text += text_.substr(at_ + 1, end - at_ - 1);
        go_to(end + 1);
      } else if (c == '"') {
        double_quoted(word);
      } else if (c == '$' || c == '`') {
        replaced(word);
      } else {
        if (c == '*' || c == '?' || c == '[' || (c == '~' && at_ == start)) word.is_plain = false;
        word.text += c;
        ++at_;
      }
    }
    word.raw = text_.substr(start, at_ - start);
    return word;
  }

  void escaped(ShellWord& word) {
    if (at_ + 1 >= text_.size()) {
      ++at_;
      return;
    }
    if (text_[at_ + 1] != '\n') word.text += text_[at_ + 1];
    go_to(at_ + 2);
  }

  void double_quoted(ShellWord& word) {
    for (++at_; at_ < text_.size() && text_[at_] != '"';) {
      const char c = text_[at_];
      if (c == '$' || c == '`') {
        replaced(word);
      } else if (c == '\\' && at_ + 1 < text_.size() &&
                 std::string_view("\"$`\\\n").find(text_[at_ + 1]) != std::string_view::npos) {
        escaped(word);
      } else {
        word.text += c;
        go_to(at_ + 1);
      }
    }
    if (at_ >= text_.size()) throw Error(ErrorKind::refused, "a double quote of the shell text is not closed");
    ++at_;
  }

  /// Something that begins with '$' or a back quote.
  void replaced(ShellWord& word) {
    const std::size_t start = at_;
    if (text_[at_] == '`') {
      std::size_t end = at_ + 1;
      while (end < text_.size() && text_[end] != '`') end += text_[end] == '\\' ? 2 : 1;
      if (end >= text_.size()) throw Error(ErrorKind::refused, "a back quote of the shell text is not closed");
      go_to(end + 1);
    } else if (text_.substr(at_).starts_with("${")) {
      bracket('{', '}');
    } else if (text_.substr(at_).starts_with("$(")) {
      bracket('(', ')');
    } else {
      ++at_;
      if (at_ < text_.size() && std::string_view("@*#?$!-").find(text_[at_]) != std::string_view::npos) {
        ++at_;
      } else {
        while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '_')) ++at_;
      }
      if (at_ == start + 1) {
        word.text += '$';
        return;
      }
    }
    word.is_plain = false;
    word.text += text_.substr(start, at_ - start);
  }

  void bracket(char open, char close) {
    std::size_t depth = 0;
    char quote = 0;
    for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == '\\' && quote != '\'') {
        ++i;
      } else if (quote != 0) {
        if (c == quote) quote = 0;
      } else if (c == '\'' || c == '"') {
        quote = c;
      } else if (c == open) {
        ++depth;
      } else if (c == close && --depth == 0) {
        return go_to(i + 1);
      }
    }
    throw Error(ErrorKind::refused, "a bracket of the shell text is not closed");
  }

  std::size_t find(char c, std::size_t from) const {
    const std::size_t found = text_.find(c, from);
    if (found == std::string_view::npos) throw Error(ErrorKind::refused, "a quote of the shell text is not closed");
    return found;
  }

  void go_to(std::size_t to) {
    to = std::min(to, text_.size());
    line_ += static_cast<std::size_t>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(at_),
                                                 text_.begin() + static_cast<std::ptrdiff_t>(to), '\n'));
    at_ = to;
  }

  struct Document {
    std::string end;
    bool strips;
  };

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t start_ = 0;
  std::size_t count_ = 0;
  bool is_empty_ = true;
  ShellCommand command_;
  ShellScript script_;
  std::vector<Document> documents_;
};

}  // namespace

ShellScript read_shell(std::string_view text) { return ScriptReader(text).read(); }

std::string shell_quoted(std::string_view word) {
  const auto is_safe = [](char c) {
    return is_letter(c) || is_digit(c) || std::string_view("_-./:=@%+,").find(c) != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_safe)) return std::string(word);
  return single_quoted(word);
}

std::string shell_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + shell_quoted(word);
  return line;
}

}  // namespace veneer::owners
