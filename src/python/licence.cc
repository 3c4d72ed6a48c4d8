#include "python/licence.hh"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "foundation/text.hh"

namespace veneer::python {

namespace {

constexpr std::string_view licence_table =
#include <licences.inc>
    ;
constexpr std::size_t longest_expression = 2000;
constexpr int deepest = 20;
constexpr std::string_view exception_mark = "WITH:";
constexpr std::string_view reference_mark = "LicenseRef-";

/// Names by themselves in lower case: they match whatever the case of their letters.
const std::map<std::string, std::string, std::less<>>& names() {
  static const auto all = [] {
    std::map<std::string, std::string, std::less<>> result;
    for (const std::string& line : split_words(licence_table, "\n")) {
      if (line.starts_with('#')) continue;
      for (const std::string& name : split_words(line, " ")) result.emplace(lower(name), name);
    }
    return result;
  }();
  return all;
}

const std::string* find_name(const std::string& name) {
  const auto found = names().find(lower(name));
  return found == names().end() ? nullptr : &found->second;
}

bool is_reference(std::string_view word) {
  if (!word.starts_with(reference_mark)) return false;
  word.remove_prefix(reference_mark.size());
  return !word.empty() && std::all_of(word.begin(), word.end(),
                                      [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '.'; });
}

/// Words and parentheses.
std::vector<std::string> tokens_of(std::string_view text) {
  std::string spaced;
  for (const char c : text) {
    if (c == '(' || c == ')') {
      spaced += {' ', c, ' '};
    } else {
      spaced += c;
    }
  }
  return split_words(spaced, " \t\r\n");
}

/// Reads what the tokens are by the grammar: or ← and (OR and)*, and ← simple (AND simple)*, simple ← ( or ) | name
/// [WITH exception].
class ExpressionReader {
 public:
  explicit ExpressionReader(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {}

  std::optional<Licence> read() {
    if (!read_or() || at_ != tokens_.size()) return std::nullopt;
    return std::move(licence_);
  }

 private:
  bool is_next(std::string_view word) const { return at_ < tokens_.size() && lower(tokens_[at_]) == word; }

  void write(std::string_view word) {
    std::string& text = licence_.expression;
    if (!text.empty() && !text.ends_with('(') && word != ")") text += ' ';
    text += word;
  }

  bool take(std::string_view word, std::string_view spelling) {
    if (!is_next(word)) return false;
    write(spelling);
    ++at_;
    return true;
  }

  bool read_or() {
    do {
      do {
        if (!read_simple()) return false;
      } while (take("and", "AND"));
    } while (take("or", "OR"));
    return true;
  }

  bool read_simple() {
    if (at_ == tokens_.size()) return false;
    if (take("(", "(")) {
      if (++depth_ > deepest || !read_or() || !take(")", ")")) return false;
      --depth_;
      return true;
    }
    const std::string& word = tokens_[at_++];
    if (is_reference(word)) {
      licence_.references.insert(word);
      write(word);
    } else {
      const bool has_plus = word.ends_with('+');
      const std::string* name = find_name(has_plus ? word.substr(0, word.size() - 1) : word);
      if (name == nullptr || name->starts_with(exception_mark)) return false;
      write(*name + (has_plus ? "+" : ""));
    }
    if (!take("with", "WITH")) return true;
    if (at_ == tokens_.size()) return false;
    const std::string* exception = find_name(std::string(exception_mark) + tokens_[at_++]);
    if (exception == nullptr) return false;
    write(std::string_view(*exception).substr(exception_mark.size()));
    return true;
  }

  std::vector<std::string> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
  Licence licence_;
};

/// Those that leave nothing open: "BSD License" may be one of several.
constexpr std::array<std::pair<std::string_view, std::string_view>, 26> classifiers = {{
    {"OSI Approved :: Boost Software License 1.0 (BSL-1.0)", "BSL-1.0"},
    {"CC0 1.0 Universal (CC0 1.0) Public Domain Dedication", "CC0-1.0"},
    {"OSI Approved :: European Union Public Licence 1.1 (EUPL 1.1)", "EUPL-1.1"},
    {"OSI Approved :: European Union Public Licence 1.2 (EUPL 1.2)", "EUPL-1.2"},
    {"OSI Approved :: GNU Affero General Public License v3", "AGPL-3.0-only"},
    {"OSI Approved :: GNU Affero General Public License v3 or later (AGPLv3+)", "AGPL-3.0-or-later"},
    {"OSI Approved :: GNU General Public License v2 (GPLv2)", "GPL-2.0-only"},
    {"OSI Approved :: GNU General Public License v2 or later (GPLv2+)", "GPL-2.0-or-later"},
    {"OSI Approved :: GNU General Public License v3 (GPLv3)", "GPL-3.0-only"},
    {"OSI Approved :: GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later"},
    {"OSI Approved :: GNU Lesser General Public License v2 or later (LGPLv2+)", "LGPL-2.0-or-later"},
    {"OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", "LGPL-3.0-only"},
    {"OSI Approved :: GNU Lesser General Public License v3 or later (LGPLv3+)", "LGPL-3.0-or-later"},
    {"OSI Approved :: Historical Permission Notice and Disclaimer (HPND)", "HPND"},
    {"OSI Approved :: ISC License (ISCL)", "ISC"},
    {"OSI Approved :: MIT License", "MIT"},
    {"OSI Approved :: MIT No Attribution License (MIT-0)", "MIT-0"},
    {"OSI Approved :: Mozilla Public License 1.0 (MPL)", "MPL-1.0"},
    {"OSI Approved :: Mozilla Public License 1.1 (MPL 1.1)", "MPL-1.1"},
    {"OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"},
    {"OSI Approved :: PostgreSQL License", "PostgreSQL"},
    {"OSI Approved :: SIL Open Font License 1.1 (OFL-1.1)", "OFL-1.1"},
    {"OSI Approved :: Blue Oak Model License (BlueOak-1.0.0)", "BlueOak-1.0.0"},
    {"OSI Approved :: The Unlicense (Unlicense)", "Unlicense"},
    {"OSI Approved :: Universal Permissive License (UPL)", "UPL-1.0"},
    {"OSI Approved :: zlib/libpng License", "Zlib"},
}};

std::optional<Licence> licence_of_classifiers(const std::vector<std::string>& all) {
  constexpr std::string_view mark = "License :: ";
  std::set<std::string_view> found;
  for (const std::string& classifier : all) {
    if (!classifier.starts_with(mark) || classifier == "License :: OSI Approved") continue;
    const auto known = std::ranges::find(classifiers, std::string_view(classifier).substr(mark.size()),
                                         &decltype(classifiers)::value_type::first);
    found.insert(known == classifiers.end() ? "" : known->second);
  }
  if (found.size() != 1 || found.begin()->empty()) return std::nullopt;
  return Licence{std::string(*found.begin()), {}};
}

}  // namespace

std::optional<Licence> parse_licence(std::string_view text) {
  if (text.size() > longest_expression) return std::nullopt;
  return ExpressionReader(tokens_of(text)).read();
}

std::optional<Licence> licence_of(const std::vector<std::string>& said, const std::vector<std::string>& all) {
  for (const std::string& text : said) {
    if (auto licence = parse_licence(text)) return licence;
  }
  return licence_of_classifiers(all);
}

}  // namespace veneer::python
