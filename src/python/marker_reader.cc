#include "python/marker_reader.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "foundation/text.hh"

namespace veneer::python {

namespace {

constexpr int most_levels = 64;
constexpr std::size_t most_bytes = 64 << 10;

bool is_marker_word(char c) { return is_digit(c) || is_letter(c) || c == '_' || c == '.'; }

class MarkerReader {
 public:
  explicit MarkerReader(std::string_view text) : whole_(text), rest_(text) {}

  std::shared_ptr<const MarkerNode> read_whole() {
    if (whole_.size() > most_bytes) refuse("it is too long");
    auto node = read_any(0);
    skip_space();
    if (!rest_.empty()) refuse("more follows where it should end");
    return node;
  }

 private:
  [[noreturn]] void refuse(std::string_view fault) const {
    throw Error(ErrorKind::refused, fmt::format("the marker \"{}\" is malformed at byte {}: {}", printable(whole_),
                                                whole_.size() - rest_.size(), fault));
  }

  void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }

  bool take(std::string_view token) {
    skip_space();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  bool take_word(std::string_view word) {
    skip_space();
    if (!rest_.starts_with(word) || (rest_.size() > word.size() && is_marker_word(rest_[word.size()]))) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  std::shared_ptr<const MarkerNode> read_any(int level) { return read_list(MarkerNode::Kind::any, level); }

  std::shared_ptr<const MarkerNode> read_list(MarkerNode::Kind kind, int level) {
    const bool is_any = kind == MarkerNode::Kind::any;
    std::vector<std::shared_ptr<const MarkerNode>> parts;
    do {
      auto part = is_any ? read_list(MarkerNode::Kind::all, level) : read_one(level);
      if (part->kind == kind) {
        parts.insert(parts.end(), part->parts.begin(), part->parts.end());
      } else {
        parts.push_back(std::move(part));
      }
    } while (take_word(is_any ? "or" : "and"));
    if (parts.size() == 1) return parts.front();
    auto node = std::make_shared<MarkerNode>();
    node->kind = kind;
    node->parts = std::move(parts);
    return node;
  }

  std::shared_ptr<const MarkerNode> read_one(int level) {
    if (take("(")) {
      if (level == most_levels) refuse("it is nested too deeply");
      auto node = read_any(level + 1);
      if (!take(")")) refuse("a parenthesis is not closed");
      return node;
    }
    auto node = std::make_shared<MarkerNode>();
    node->left = read_operand();
    node->comparison = read_comparison();
    node->right = read_operand();
    if (!node->right.variable) node->specifier = Specifier::parse(node->comparison + node->right.text);
    return node;
  }

  std::string read_comparison() {
    for (const std::string_view token : {"===", "==", "!=", "<=", ">=", "~=", "<", ">"}) {
      if (take(token)) return std::string(token);
    }
    if (take_word("in")) return "in";
    if (take_word("not")) {
      if (rest_.empty() || (rest_[0] != ' ' && rest_[0] != '\t') || !take_word("in"))
        refuse("\"in\" must follow \"not\"");
      return "not in";
    }
    refuse("a comparison is missing");
  }

  MarkerOperand read_operand() {
    skip_space();
    if (rest_.empty()) refuse("a variable or a quoted text is missing");
    MarkerOperand operand;
    if (const char quote = rest_[0]; quote == '"' || quote == '\'') {
      const std::size_t end = rest_.find(quote, 1);
      if (end == std::string_view::npos) refuse("a quote is not closed");
      operand.text = rest_.substr(1, end - 1);
      if (operand.text.find_first_of("\\\n\r") != std::string::npos)
        refuse("a quoted text has a backslash or line end");
      rest_.remove_prefix(end + 1);
      return operand;
    }
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_marker_word);
    const std::string_view word(rest_.data(), static_cast<std::size_t>(end - rest_.begin()));
    operand.variable = find_marker_variable(word);
    if (!operand.variable) refuse("this is no variable of markers");
    rest_.remove_prefix(word.size());
    return operand;
  }

  std::string_view whole_;
  std::string_view rest_;
};

}  // namespace

std::shared_ptr<const MarkerNode> read_marker(std::string_view text) { return MarkerReader(text).read_whole(); }

}  // namespace veneer::python
