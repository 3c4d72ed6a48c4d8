#include "python/lock/location.hh"

#include <algorithm>
#include <optional>

#include "foundation/text.hh"

namespace veneer::python {

namespace {

bool is_url(std::string_view location) { return location.find("://") != std::string_view::npos; }

std::optional<int> hexadecimal(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

}  // namespace

std::string scheme_of(std::string_view location) {
  const std::string scheme = lower(location.substr(0, location.find("://")));
  if (scheme.size() == location.size()) return {};
  const bool is_scheme = scheme.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.") == std::string::npos;
  return is_scheme ? scheme : std::string();
}

bool is_on_a_server(std::string_view location) {
  const std::string scheme = scheme_of(location);
  return scheme == "http" || scheme == "https";
}

std::string percent_decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const auto high = hexadecimal(text[i + 1]);
      const auto low = hexadecimal(text[i + 2]);
      if (high && low) {
        result += static_cast<char>(*high * 16 + *low);
        i += 2;
        continue;
      }
    }
    result += text[i];
  }
  return result;
}

std::string without_fragment(std::string_view url) { return std::string(url.substr(0, url.find('#'))); }

GitLocation split_git_location(std::string_view url) {
  GitLocation result;
  if (const std::size_t hash = url.find('#'); hash != std::string_view::npos) {
    result.commit = url.substr(hash + 1);
    url = url.substr(0, hash);
  }
  const std::size_t question = url.find('?');
  result.repository = url.substr(0, question);
  if (question == std::string_view::npos) return result;
  std::string_view query = url.substr(question + 1);
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    constexpr std::string_view key = "subdirectory=";
    if (pair.starts_with(key)) result.subdirectory = percent_decoded(pair.substr(key.size()));
  }
  return result;
}

std::string file_name_of(std::string_view location) {
  location = location.substr(0, location.find('#'));
  const bool url = is_url(location);
  if (url) location = location.substr(0, location.find('?'));
  while (location.ends_with('/')) location.remove_suffix(1);
  const std::string_view last = location.substr(location.rfind('/') + 1);
  return url ? percent_decoded(last) : std::string(last);
}

std::string join_location(std::string_view folder, std::string_view path) {
  if (is_url(path) || path.starts_with('/') || folder.empty() || folder == ".") return std::string(path);
  std::string result(folder);
  if (!result.ends_with('/')) result += '/';
  return result.append(path);
}

}  // namespace veneer::python
