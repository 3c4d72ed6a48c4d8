#include "foundation/toml_depth.hh"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "foundation/error.hh"

namespace veneer {

namespace {

class Scanner {
 public:
  Scanner(std::string_view text, std::size_t most) : text_(text), most_(most) {}

  void scan() {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text_.starts_with(byte_order_mark)) at_ = byte_order_mark.size();
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '\n' && open_.size() == 1) {
        start_statement();
      } else if (c == '"' || c == '\'') {
        if (place_ == Place::before_key) start_key();
        skip_string(c);
      } else if (place_ == Place::value) {
        scan_value(c);
      } else if (place_ == Place::header) {
        scan_header(c);
      } else {
        scan_key(c);
      }
    }
  }

 private:
  enum class Place {
    before_key,  // at the start of a statement or of an item in an inline table
    key,
    value,
    header,
  };
  enum class Kind { table, array };
  struct Open {
    Kind kind = Kind::table;
    std::size_t depth = 0;  // its own; that of its items is one more
  };

  void start_statement() {
    ++at_;
    place_ = Place::before_key;
  }

  /// `what` begins at the current byte or holds it.
  void check_depth(std::string_view what) const {
    if (depth_ <= most_) return;
    const std::string_view before = text_.substr(0, at_);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    throw Error(ErrorKind::refused,
                fmt::format("line {}, column {}: {} is nested deeper than {} levels", line,
                            at_ - (before.rfind('\n') + 1) + 1, what, most_),
                std::string(toml_depth_hint));
  }

  void start_key() {
    place_ = Place::key;
    depth_ = open_.back().depth + 1;
    check_depth("the key");
  }

  void scan_key(char c) {
    if (c == '=') {
      place_ = Place::value;
    } else if (c == '}' && open_.size() > 1) {
      close();
      return;
    } else if (c == '.') {
      ++depth_;
      check_depth("the key");
    } else if (c == '[' && place_ == Place::before_key && open_.size() == 1) {
      place_ = Place::header;
      const bool is_item = text_.substr(at_).starts_with("[[");
      depth_ = is_item ? 2 : 1;
      check_depth("the table header");
      if (is_item) ++at_;
    } else if (place_ == Place::before_key && c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != ',') {
      start_key();
    }
    ++at_;
  }

  void scan_header(char c) {
    if (c == '.') {
      ++depth_;
      check_depth("the table header");
    }
    if (c == ']') open_.back().depth = depth_;
    ++at_;
  }

  void scan_value(char c) {
    if (c == '[') {
      check_depth("the array");
      open_.push_back({Kind::array, depth_++});
    } else if (c == '{') {
      check_depth("the inline table");
      open_.push_back({Kind::table, depth_});
      place_ = Place::before_key;
    } else if ((c == ']' || c == '}') && open_.size() > 1) {
      close();
      return;
    } else if (c == ',' && open_.size() > 1 && open_.back().kind == Kind::table) {
      place_ = Place::before_key;
    }
    ++at_;
  }

  /// What stood around the array or inline table goes on.
  void close() {
    ++at_;
    depth_ = open_.back().depth;
    open_.pop_back();
    place_ = Place::value;
  }

  /// Of any of the four kinds. One that is not closed ends where it becomes malformed.
  void skip_string(char quote) {
    const std::string_view rest = text_.substr(at_);
    const bool has_lines = rest.size() > 2 && rest[1] == quote && rest[2] == quote;
    at_ += has_lines ? 3 : 1;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\\' && quote == '"') {
        at_ += at_ + 1 < text_.size() && (has_lines || text_[at_ + 1] != '\n') ? 2 : 1;
        continue;
      }
      if (c == '\n' && !has_lines) return;
      if (c != quote) {
        ++at_;
        continue;
      }
      // The last three of up to five quotes close a string of several lines.
      std::size_t quotes = 1;
      while (has_lines && quotes < 5 && at_ + quotes < text_.size() && text_[at_ + quotes] == quote) ++quotes;
      at_ += quotes;
      if (!has_lines || quotes >= 3) return;
    }
  }

  std::string_view text_;
  std::size_t most_;
  std::size_t at_ = 0;
  Place place_ = Place::before_key;
  std::size_t depth_ = 0;                        // of what is being read
  std::vector<Open> open_ = {{Kind::table, 0}};  // the table of the last header, and what is open in it
};

}  // namespace

void check_toml_depth(std::string_view text, std::size_t most) { Scanner(text, most).scan(); }

}  // namespace veneer
