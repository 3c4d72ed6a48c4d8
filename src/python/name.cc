#include "python/name.hh"

#include <algorithm>

#include "foundation/text.hh"

namespace veneer::python {

namespace {

bool is_alphanumeric(char c) { return is_digit(c) || is_letter(c); }
bool is_separator(char c) { return c == '-' || c == '_' || c == '.'; }
bool is_of_names(char c) { return is_alphanumeric(c) || is_separator(c); }

}  // namespace

std::string normalised_name(std::string_view name) {
  std::string result;
  result.reserve(name.size());
  for (const char c : name) {
    if (is_separator(c)) {
      if (!result.ends_with('-')) result += '-';
    } else {
      result += lower(c);
    }
  }
  return result;
}

std::vector<std::string> normalised_names(std::vector<std::string> names) {
  for (std::string& name : names) name = normalised_name(name);
  return names;
}

bool is_valid_name(std::string_view name) {
  return !name.empty() && is_alphanumeric(name.front()) && is_alphanumeric(name.back()) &&
         std::all_of(name.begin(), name.end(), is_of_names);
}

std::string_view leading_name(std::string_view text) {
  return {text.begin(), std::find_if_not(text.begin(), text.end(), is_of_names)};
}

}  // namespace veneer::python
