#include "foundation/user_info.hh"

#include <algorithm>
#include <optional>

#include "foundation/text.hh"

namespace veneer {

namespace {

constexpr std::string_view hidden = "***";
constexpr std::string_view white_space = " \t\r\n\f\v";
constexpr std::string_view ends_of_authority = "/?#\\";
constexpr std::size_t longest_password = 4096;  // that white space divides; bounds the work too

enum class Whole { no, yes };  // whether the text is known to be a URL, all of it

bool is_of(std::string_view text, bool (*is_right)(char)) { return std::all_of(text.begin(), text.end(), is_right); }

/// The letters, digits, "+", "-" and "." at the end of `text`, in lower case.
std::string scheme_at_end(std::string_view text) {
  const auto is_right = [](char c) { return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; };
  const auto start = std::find_if_not(text.rbegin(), text.rend(), is_right).base();
  std::string scheme(start, text.end());
  for (char& c : scheme) c = is_letter(c) ? static_cast<char>(c | 0x20) : c;
  return scheme;
}

struct Start {
  std::string scheme;
  std::size_t authority = 0;  // where it begins
};

/// Of the first URL behind `from`.
std::optional<Start> find_url(std::string_view text, std::size_t from) {
  for (std::size_t colon = text.find(':', from); colon != std::string_view::npos; colon = text.find(':', colon + 1)) {
    Start start{scheme_at_end(text.substr(from, colon - from)), 0};
    start.authority = std::min(text.find_first_not_of("/\\", colon + 1), text.size());
    const std::size_t slashes = start.authority - colon - 1;
    const bool is_http = start.scheme.ends_with("http") || start.scheme.ends_with("https");
    const bool is_local = start.scheme.ends_with("file") || start.scheme.ends_with("unix");
    if (is_http || (text.substr(colon + 1).starts_with("//") && !(is_local && slashes > 2))) return start;
  }
  return std::nullopt;
}

/// "host", "host:80", "[::1]:80"; also nothing.
bool is_host_and_port(std::string_view text) {
  std::size_t end = std::min(text.find(':'), text.size());
  bool is_right = is_of(text.substr(0, end), [](char c) {
    return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '_' || static_cast<unsigned char>(c) >= 0x80;
  });
  if (text.starts_with('[')) {
    end = std::min(text.find(']'), text.size() - 1) + 1;
    is_right = is_of(text.substr(1, end - 1), [](char c) {
      return is_letter(c) || is_digit(c) || c == ':' || c == '.' || c == '%' || c == ']';
    });
  }
  const std::string_view port = text.substr(end);
  return is_right && (port.empty() || (port[0] == ':' && port.size() < 7 && is_of(port.substr(1), is_digit)));
}

/// `url` from its authority on.
std::string shown(std::string_view scheme, std::string_view url, Whole whole) {
  const std::size_t end = std::min(url.find_first_of(ends_of_authority), url.size());
  const bool has_at_later = url.find('@', end) != std::string_view::npos;
  const std::string_view authority = url.substr(0, end);
  const std::size_t at = authority.rfind('@');
  const std::string_view user_info = authority.substr(0, at);
  const bool is_harmless =
      user_info == hidden || (scheme.ends_with("ssh") && user_info.find(':') == std::string_view::npos);
  if (is_harmless && !has_at_later) return std::string(url);
  std::string_view host = at == std::string_view::npos ? authority : authority.substr(at + 1);
  while (whole == Whole::no && !host.empty() && std::string_view("\"'`)>},;:.").find(host.back()) != host.npos) {
    host.remove_suffix(1);  // of the sentence around it
  }
  const bool may_have_user_info = at != std::string_view::npos || whole == Whole::yes;
  if (has_at_later || (may_have_user_info && !is_host_and_port(host))) return std::string(hidden);
  return at == std::string_view::npos ? std::string(url) : std::string(hidden).append(url.substr(at));
}

/// Where the URL ends whose authority begins at `start`: behind its word, or behind a later one of the line if a
/// password with white space ends there.
std::size_t end_of_url(std::string_view text, std::size_t start) {
  const std::size_t end = std::min(text.find_first_of(white_space, start), text.size());
  const std::string_view word = text.substr(start, end - start);
  const std::string_view authority = word.substr(0, word.find_first_of(ends_of_authority));
  const std::size_t colon = word.find(':');
  const bool has_odd_port = colon != std::string_view::npos && colon < authority.size() && colon + 1 < word.size() &&
                            !is_digit(word[colon + 1]) && !word.starts_with('[');
  if (!has_odd_port || word.find('@') != std::string_view::npos) return end;
  const std::string_view near = text.substr(end, longest_password);
  const std::string_view line = near.substr(0, near.find('\n'));
  const std::size_t at = line.find('@');
  if (at == std::string_view::npos || at > line.find("://")) return end;
  return std::min(text.find_first_of(white_space, end + at), text.size());
}

}  // namespace

std::string without_user_info(std::string_view text) {
  std::string result;
  std::size_t done = 0;
  while (const auto start = find_url(text, done)) {
    const std::size_t end = end_of_url(text, start->authority);
    result += text.substr(done, start->authority - done);
    result += shown(start->scheme, text.substr(start->authority, end - start->authority), Whole::no);
    done = end;
  }
  return result.append(text.substr(done));
}

std::string url_without_user_info(std::string_view url) {
  if (const auto start = find_url(url, 0)) {
    return std::string(url.substr(0, start->authority)) +
           shown(start->scheme, url.substr(start->authority), Whole::yes);
  }
  // A URL without its scheme, or a path.
  const std::size_t slashes = std::min(url.find_first_not_of("/\\"), url.size());
  const std::string_view rest = url.substr(slashes);
  const std::string_view first = rest.substr(0, rest.find_first_of(ends_of_authority));
  const bool is_path = slashes == 1 || rest.starts_with('.') || first.ends_with("file:") || first.ends_with("unix:") ||
                       first.find_first_of(":@") == std::string_view::npos;
  return is_path || rest.find('@') == std::string_view::npos
             ? std::string(url)
             : std::string(url.substr(0, slashes)) + shown("", rest, Whole::yes);
}

}  // namespace veneer
