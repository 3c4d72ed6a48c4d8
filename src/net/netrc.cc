#include "net/netrc.hh"

#include <algorithm>

#include "foundation/text.hh"

namespace veneer::net {

namespace {

constexpr std::string_view white_space = " \t\r\n";

/// Takes a word off `text`; empty at its end. In quotes, a backslash stands before what is meant as it is.
std::string take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(white_space), text.size()));
  std::string word;
  if (!text.starts_with('"')) {
    word = text.substr(0, text.find_first_of(white_space));
    text.remove_prefix(word.size());
    return word;
  }
  std::size_t at = 1;
  for (; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    word += text[at];
  }
  text.remove_prefix(std::min(at + 1, text.size()));
  return word;
}

void skip_behind(std::string_view& text, std::string_view end) {
  text.remove_prefix(std::min(text.find(end), text.size()));
}

bool is_same_host(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::optional<std::string> netrc_password(std::string_view text, std::string_view host, std::string_view user) {
  bool is_for_host = false;
  std::string login;
  std::string password;
  for (;;) {
    const std::string key = take_word(text);
    if (key.starts_with('#')) {
      skip_behind(text, "\n");
      continue;
    }
    if (key == "macdef") {
      skip_behind(text, "\n\n");
      continue;
    }
    if (key.empty() || key == "machine" || key == "default") {
      if (is_for_host && login == user && !password.empty()) return password;
      if (key.empty() && text.empty()) return std::nullopt;
      is_for_host = key == "default" || (key == "machine" && is_same_host(take_word(text), host));
      login.clear();
      password.clear();
    } else if (key == "login") {
      login = take_word(text);
    } else if (key == "password") {
      password = take_word(text);
    } else if (key == "account") {
      take_word(text);
    }
  }
}

}  // namespace veneer::net
