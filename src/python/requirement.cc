#include "python/requirement.hh"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/error.hh"
#include "net/http.hh"
#include "python/name.hh"

namespace veneer::python {

namespace {

class RequirementReader {
 public:
  explicit RequirementReader(std::string_view text) : whole_(text), rest_(text) {}

  Requirement read() {
    Requirement result;
    result.name = read_name();
    if (take("[")) result.extras = read_extras();
    if (take("@")) {
      result.url = read_url();
    } else {
      result.specifier = read_specifier();
    }
    if (take(";")) {
      if (rest_.find_first_of("\r\n") != std::string_view::npos) refuse("it has a line end");
      result.marker = Marker::parse(rest_);
      return result;
    }
    skip_space();
    if (!rest_.empty()) refuse("more follows where it should end");
    return result;
  }

 private:
  [[noreturn]] void refuse(std::string_view fault) const {
    const bool has_url = whole_.find("://") != std::string_view::npos;
    throw Error(ErrorKind::refused, fmt::format("the requirement \"{}\" is malformed: {}",
                                                has_url ? net::display_url(whole_) : printable(whole_), fault));
  }

  void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }

  bool take(std::string_view token) {
    skip_space();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  std::string read_name() {
    skip_space();
    std::string name(leading_name(rest_));
    if (!is_valid_name(name)) refuse("a name is missing or misspelt");
    rest_.remove_prefix(name.size());
    return name;
  }

  std::vector<std::string> read_extras() {
    std::vector<std::string> extras;
    if (take("]")) return extras;
    do {
      extras.push_back(read_name());
    } while (take(","));
    if (!take("]")) refuse("the list of extras is not closed");
    std::sort(extras.begin(), extras.end());
    extras.erase(std::unique(extras.begin(), extras.end()), extras.end());
    return extras;
  }

  std::string read_url() {
    skip_space();
    std::string url(rest_.substr(0, rest_.find_first_of(" \t")));
    if (url.empty()) refuse("a URL is missing");
    if (url.find_first_of("\r\n") != std::string::npos) refuse("its URL has a line end");
    rest_.remove_prefix(url.size());
    return url;
  }

  SpecifierSet read_specifier() {
    const bool has_parentheses = take("(");
    const std::size_t end = std::min(rest_.find_first_of(has_parentheses ? ")" : ";"), rest_.size());
    const std::string_view text = rest_.substr(0, end);
    if (text.find_first_of("\r\n") != std::string_view::npos) refuse("it has a line end");
    const auto specifier = SpecifierSet::parse(text);
    if (!specifier) refuse("what follows the name is no version specifier");
    rest_.remove_prefix(end);
    if (has_parentheses && !take(")")) refuse("a parenthesis is not closed");
    return *specifier;
  }

  std::string_view whole_;
  std::string_view rest_;
};

}  // namespace

Requirement Requirement::parse(std::string_view text) { return RequirementReader(text).read(); }

}  // namespace veneer::python
